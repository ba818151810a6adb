package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"exaproxy/compat"
	"exaproxy/compat/helpertest"
	"exaproxy/compat/logs"
)

// helperTestWord is the command that tries helpers: exaproxy helper-test.
const helperTestWord = "helper-test"

// helperTestText says how it is used.
//
//go:embed helpertest.txt
var helperTestText string

// A helperTest is one call of the command.
type helperTest struct {
	file     string
	kind     string
	external string
	children string
	argv     []string // after --
	input    string   // FILE

	fromLog, noProbes, json bool
	bench                   int
	patience, start         int // seconds

	stdin          io.Reader
	stdout, stderr io.Writer
}

// tryHelpers carries the command out.
func tryHelpers(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	h := &helperTest{stdin: stdin, stdout: stdout, stderr: stderr}
	if err := h.parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			fmt.Fprint(stdout, helperTestText)
			return 0
		}
		fmt.Fprintf(stderr, "exaproxy %s: %s\n%s", helperTestWord, err, helperTestText)
		return 1
	}
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer end()
	if err := h.run(ctx); err != nil {
		if err != errFaulty {
			fmt.Fprintf(stderr, "exaproxy %s: %s\n", helperTestWord, err)
		}
		return 1
	}
	return 0
}

// errFaulty says that the program is at fault, and that it was told.
var errFaulty = errors.New("faults were found")

// kinds are those of helpers that can be tried.
var kinds = []string{"url_rewrite", "reqmod", "auth", "digest", "external_acl"}

// parse reads the arguments.
func (h *helperTest) parse(args []string) error {
	flags := pflag.NewFlagSet(helperTestWord, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.StringVarP(&h.file, "file", "f", "", "")
	flags.StringVar(&h.kind, "kind", "", "")
	flags.StringVar(&h.external, "external", "", "")
	flags.StringVar(&h.children, "children", "", "")
	flags.BoolVar(&h.fromLog, "from-log", false, "")
	flags.BoolVar(&h.noProbes, "no-probes", false, "")
	flags.BoolVar(&h.json, "json", false, "")
	flags.IntVar(&h.bench, "bench", 0, "")
	flags.IntVar(&h.patience, "timeout", 10, "")
	flags.IntVar(&h.start, "start", 60, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	words := flags.Args()
	if at := flags.ArgsLenAtDash(); at >= 0 {
		words, h.argv = words[:at], words[at:]
	}
	if len(words) == 1 {
		h.input = words[0]
	}
	switch {
	case len(words) > 1:
		return errors.New("there is one FILE at most; a program stands behind --")
	case (h.file == "") == (len(h.argv) == 0):
		return errors.New("either -f squid.conf or -- PROGRAM says what to try")
	case h.kind == "ntlm" || h.kind == "negotiate":
		return fmt.Errorf("--kind %s: %w", h.kind, helpertest.ErrHandshake)
	case h.kind != "" && !slices.Contains(kinds, h.kind):
		return fmt.Errorf("'%s' is none of the kinds %s", h.kind, strings.Join(kinds, ", "))
	case (h.kind == "auth" || h.kind == "digest") && h.fromLog:
		return errors.New("--from-log: an access log has no passwords")
	case h.bench < 0 || h.patience < 1 || h.start < 1:
		return errors.New("--bench, --timeout and --start are numbers above 0")
	case h.file != "" && h.children != "":
		return errors.New("--children is for a program behind --: the file has its own")
	}
	return nil
}

// run tries what there is to try.
func (h *helperTest) run(ctx context.Context) error {
	settings, err := h.load()
	if err != nil {
		return err
	}
	lines, err := h.open()
	if err != nil {
		return err
	}
	defer lines.Close()
	programs, err := h.programs(settings)
	if err != nil {
		return err
	}
	if h.file != "" {
		if err := becomeHelpersUser(settings); err != nil {
			return err
		}
	}
	var source io.Reader = lines
	var all []byte
	if len(programs) > 1 {
		if all, err = io.ReadAll(lines); err != nil {
			return err
		}
	}
	for i := range programs {
		if len(programs) > 1 {
			source = bytes.NewReader(all)
		}
		switch one := h.try(ctx, &programs[i], source); {
		case one == nil:
		case len(programs) == 1:
			return one
		case one != errFaulty:
			fmt.Fprintf(h.stderr, "exaproxy %s: %s\n", helperTestWord, one)
			fallthrough
		default:
			err = errFaulty
		}
	}
	return err
}

// load reads the configuration, or makes one of the program.
func (h *helperTest) load() (*compat.Settings, error) {
	var said []string
	over := compat.Overrides{Say: func(_ int, text string) { said = append(said, text) }}
	path := h.file
	if path == "" {
		if err := helpertest.Check(h.argv); err != nil {
			return nil, err
		}
		const builtIn = "(the command line)"
		path, over.KeepUser = builtIn, true
		over.Open = func(name string) (io.ReadCloser, error) {
			if name == builtIn {
				return io.NopCloser(strings.NewReader(h.configuration())), nil
			}
			return os.Open(name)
		}
	}
	settings, err := compat.Load(path, over)
	if err != nil {
		return nil, whole(said, err)
	}
	return settings, nil
}

// configuration is that of the program on the command line.
func (h *helperTest) configuration() string {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	program := ""
	for _, arg := range h.argv {
		program += ` "` + quote.Replace(arg) + `"`
	}
	text := "http_port 3128\nhttp_access deny all\nconfiguration_includes_quoted_values on\n"
	switch h.kind {
	case "auth", "digest":
		scheme := map[string]string{"auth": "basic", "digest": "digest"}[h.kind]
		text += "auth_param " + scheme + " program" + program + "\n"
		if h.children != "" {
			text += "auth_param " + scheme + " children " + h.children + "\n"
		}
	case "external_acl":
		children := h.children
		if first, rest, _ := strings.Cut(children, " "); strings.Trim(first, "0123456789") == "" && first != "" {
			children = "children-max=" + first + " " + rest
		}
		text += "external_acl_type tried " + children + ` "\%URI"` + program + "\nacl tried external tried\n"
	default:
		kind := cmp.Or(h.kind, "url_rewrite")
		text += kind + "_program" + program + "\n"
		if h.children != "" {
			text += kind + "_children " + h.children + "\n"
		}
	}
	return text
}

// open opens the lines.
func (h *helperTest) open() (io.ReadCloser, error) {
	if h.input == "" || h.input == "-" {
		return io.NopCloser(h.stdin), nil
	}
	return os.Open(h.input)
}

// programs are those that are to be tried.
func (h *helperTest) programs(settings *compat.Settings) ([]helpertest.Program, error) {
	log := logs.NewCacheLog(logs.CacheLogOptions{Stderr: h.stderr, StderrLevel: 0})
	all := settings.Programs(log)
	chosen := slices.DeleteFunc(all, func(p helpertest.Program) bool {
		if h.kind == "" && h.external == "" && h.fromLog && (p.Kind == "auth" || p.Kind == "digest") {
			fmt.Fprintf(h.stderr, "exaproxy %s: %s: it is not tried: an access log has no passwords\n", helperTestWord, p.Name)
			return true
		}
		return h.kind != "" && p.Kind != h.kind || h.external != "" && p.Name != "external_acl_type "+h.external
	})
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s has no such helper", settings.Path)
	}
	return chosen, nil
}

// try tries one.
func (h *helperTest) try(ctx context.Context, p *helpertest.Program, lines io.Reader) error {
	o := helpertest.Options{Patience: time.Duration(h.patience) * time.Second, Start: time.Duration(h.start) * time.Second,
		Log: slog.New(slog.DiscardHandler), Progress: h.progress()}
	show := &helpertest.Printer{To: h.stdout, JSON: h.json}
	from := helpertest.Source{Lines: lines, FromLog: h.fromLog}
	if !h.json {
		fmt.Fprintf(h.stdout, "%s: %s\n", p.Name, strings.Join(p.Config.Argv, " "))
	}
	if p.Talk == nil {
		if h.json {
			show.Report(p, helpertest.Report{}, helpertest.ErrHandshake)
		}
		return named(p, helpertest.ErrHandshake)
	}
	if h.bench > 0 {
		faults, err := helpertest.Bench(ctx, p, from, h.bench, o, show.Speed)
		if show.Faults(faults, err); err == nil && len(faults) > 0 {
			err = errFaulty
		}
		return named(p, err)
	}
	report, err := helpertest.Try(ctx, p, from, !h.noProbes, o, show.Row)
	if show.Report(p, report, err); err == nil && len(report.Faults) > 0 {
		err = errFaulty
	}
	return named(p, err)
}

// named puts the program's name before an error.
func named(p *helpertest.Program, err error) error {
	if err == nil || err == errFaulty {
		return err
	}
	return fmt.Errorf("%s: %w", p.Name, err)
}

// progress shows how far it is, where somebody looks at standard error and sees no rows meanwhile.
func (h *helperTest) progress() func(helpertest.Progress) {
	if !isTerminal(h.stderr) || isTerminal(h.stdout) && h.bench == 0 {
		return nil
	}
	return func(p helpertest.Progress) {
		if !p.Ready {
			fmt.Fprint(h.stderr, "\rwaiting for the program to read its input ")
			return
		}
		fmt.Fprintf(h.stderr, "\r%d of %d answered ", p.Answered, p.Asked)
	}
}
