package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// options are what the command line says.
type options struct {
	file    string // -f; "" to look in the usual places
	service string // -n
	ports   []string
	command string // -k
	try     string // --try
	trying  bool

	alone      bool // -N or --try: no parent
	foreground bool // --foreground
	kidMacros  bool // not an option: the configuration is read as by a parent's proxy
	swap       bool // -z
	help       bool
	version    bool
	full       bool // -X
	syslog     bool // -s or -l
	obsolete   bool // -D
	level      int  // -d; -1 if not given
}

// errUsage asks for the usage text, which Squid answers some mistakes with.
var errUsage = errors.New("bad usage")

// parseOptions reads the arguments as Squid does: clusters of letters, values with or without a
// space before them, words that are no options ignored. The error is in Squid's words.
func parseOptions(args []string) (*options, error) {
	o := &options{level: -1}
	flags := pflag.NewFlagSet("exaproxy", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	o.define(flags)
	level := flags.StringP("debug", "d", "", "")
	if err := flags.Parse(args); err != nil {
		return nil, wrongOption(err)
	}
	o.trying = flags.Changed("try")
	o.try = strings.TrimSpace(o.try)
	if o.trying {
		o.alone, o.level = true, 1
	}
	if o.help {
		return o, nil
	}
	if flags.Changed("debug") {
		n, err := strconv.Atoi(*level)
		if err != nil {
			n = 0 // as atoi(3)
		}
		o.level = n
	}
	if flags.Changed("k") {
		if _, ok := findCommand(o.command); !ok {
			return nil, fmt.Errorf("-k: '%s' is no order: %w", o.command, errUsage)
		}
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("'%s' is not expected: %w", flags.Arg(0), errUsage)
	}
	if flags.Changed("n") {
		return o, checkService(o.service)
	}
	return o, nil
}

// noRedirector is the value of --try without one. pflag takes an empty word for a missing one.
const noRedirector = " "

// define lists the options. Those of Squid's that steer nothing here share a variable that is not read.
func (o *options) define(flags *pflag.FlagSet) {
	flags.SortFlags = false
	ignored := new(bool)
	value := new(string)
	flags.BoolVarP(&o.help, "help", "h", false, "")
	flags.BoolVarP(&o.version, "version", "v", false, "")
	flags.StringVar(&o.try, "try", "", "")
	flags.Lookup("try").NoOptDefVal = noRedirector
	letter(func(n, s string) { flags.StringVarP(&o.file, n, s, "", "") }, "f")
	letter(func(n, s string) { flags.StringVarP(&o.service, n, s, "", "") }, "n")
	letter(func(n, s string) { flags.StringArrayVarP(&o.ports, n, s, nil, "") }, "a")
	letter(func(n, s string) { flags.StringVarP(&o.command, n, s, "", "") }, "k")
	letter(func(n, s string) { flags.BoolVarP(&o.alone, n, s, false, "") }, "N")
	flags.BoolVar(&o.foreground, "foreground", false, "")
	letter(func(n, s string) { flags.BoolVarP(&o.swap, n, s, false, "") }, "z")
	letter(func(n, s string) { flags.BoolVarP(&o.full, n, s, false, "") }, "X")
	letter(func(n, s string) { flags.BoolVarP(&o.syslog, n, s, false, "") }, "s")
	letter(func(n, s string) { flags.BoolVarP(&o.obsolete, n, s, false, "") }, "D")
	letter(func(n, s string) { flags.BoolVarP(ignored, n, s, false, "") }, "C", "F", "S", "Y", "R", "m", "i", "r")
	letter(func(n, s string) { flags.StringVarP(value, n, s, "", "") }, "l", "u", "O")
	flags.StringVar(value, "kid", "", "")
}

// letter defines options that have a letter only. pflag wants a long name for each: the letter
// itself, which Squid does not take and nobody will miss.
func letter(define func(name, short string), letters ...string) {
	for _, l := range letters {
		define(l, l)
	}
}

// wrongOption words what pflag has against an option.
func wrongOption(err error) error {
	name := ""
	var unknown *pflag.NotExistError
	var valueless *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var malformed *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		name = dashed(unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames())
	case errors.As(err, &valueless):
		name = dashed(valueless.GetSpecifiedName(), valueless.GetSpecifiedShortnames())
	case errors.As(err, &invalid):
		name = dashed(invalid.GetFlag().Name, invalid.GetFlag().Shorthand)
	case errors.As(err, &malformed):
		name = malformed.GetSpecifiedFlag()
	}
	return fmt.Errorf("'%s': unrecognized option or missing required argument", name)
}

// dashed writes an option as it was given. shorts is the cluster from the letter in question on.
func dashed(name, shorts string) string {
	if shorts != "" {
		return "-" + shorts[:1]
	}
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// checkService is Squid's rule for -n.
func checkService(name string) error {
	const longest = 32
	rest := strings.TrimLeft(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
	switch {
	case len(rest) == len(name):
		return &abnormal{fmt.Sprintf("Expected alphanumeric service name in the -n option value, but got: %s", name)}
	case rest != "":
		return &abnormal{fmt.Sprintf("Garbage after alphanumeric service name in the -n option value: %s", name)}
	case len(name) > longest:
		return &abnormal{fmt.Sprintf("The -n option value is longer than %d characters: %s", longest, name)}
	}
	return nil
}
