package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"exaproxy/compat"
	"exaproxy/compat/explain"
	"exaproxy/compat/logs"
)

// explainWord is the command that explains what becomes of a request: exaproxy explain URL.
const explainWord = "explain"

// explainText says how it is used.
//
//go:embed explain.txt
var explainText string

// An explaining is one call of the command.
type explaining struct {
	o       options // -f
	request explain.Request
	timeout int // seconds
	json    bool
}

// Statuses of explain.
const (
	statusPasses = iota
	statusRefused
	statusUnknown
)

// explainRequest carries the command out.
func explainRequest(args []string, stdout, stderr io.Writer) int {
	x := &explaining{}
	if err := x.parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			fmt.Fprint(stdout, explainText)
			return 0
		}
		fmt.Fprintf(stderr, "exaproxy %s: %s\n%s", explainWord, err, explainText)
		return statusUnknown
	}
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer end()
	ctx, endTime := context.WithTimeout(ctx, time.Duration(x.timeout)*time.Second)
	defer endTime()
	told, err := x.run(ctx)
	if told != nil {
		x.show(stdout, told)
	}
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "exaproxy %s: %s\n", explainWord, err)
		return statusUnknown
	case told.Fate == explain.Passes:
		return statusPasses
	case told.Fate == explain.Refused:
		return statusRefused
	}
	return statusUnknown
}

// parse reads the arguments.
func (x *explaining) parse(args []string) (err error) {
	flags := pflag.NewFlagSet(explainWord, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.StringVarP(&x.o.file, "file", "f", "", "")
	client := flags.String("client", "127.0.0.1", "")
	flags.StringVar(&x.request.User, "user", "", "")
	flags.StringVar(&x.request.Method, "method", "", "")
	flags.StringArrayVar(&x.request.Header, "header", nil, "")
	original := flags.String("original", "", "")
	flags.IntVar(&x.timeout, "timeout", 30, "")
	flags.BoolVar(&x.json, "json", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 || x.timeout < 1 {
		return errors.New("one URL is explained")
	}
	x.request.URL = flags.Arg(0)
	if x.request.Client, err = netip.ParseAddr(*client); err != nil {
		return fmt.Errorf("--client: '%s' is no address", *client)
	}
	if *original == "" {
		return nil
	}
	if x.request.Original, err = netip.ParseAddrPort(*original); err != nil || x.request.Original.Port() == 0 {
		return fmt.Errorf("--original: '%s' is no address with a port, such as 192.0.2.7:80", *original)
	}
	return nil
}

// run has the configuration decide.
func (x *explaining) run(ctx context.Context) (*explain.Explanation, error) {
	var said []string
	settings, err := compat.Load(x.o.configuration(), compat.Overrides{Explain: true, Open: readWith(nil), Say: func(_ int, text string) { said = append(said, text) }})
	if err != nil {
		return nil, whole(said, err)
	}
	if err := becomeHelpersUser(settings); err != nil {
		return nil, err
	}
	var heard messages
	told, err := settings.Explain(ctx, x.request, logs.NewCacheLog(logs.CacheLogOptions{Stderr: &heard, StderrLevel: 1}))
	if told != nil {
		told.Messages = heard.lines()
	}
	return told, err
}

// whole is why a configuration was not read, and all that was said before.
func whole(said []string, err error) error {
	if n := len(said); n == 0 || !strings.HasSuffix(said[n-1], err.Error()) {
		said = append(said, err.Error())
	}
	return errors.New(strings.Join(said, "\n"))
}

// messages are what cache.log would have. The log locks what it writes.
type messages struct{ strings.Builder }

// lines are those that are about the request.
func (m *messages) lines() (all []string) {
	for line := range strings.Lines(m.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, "helperOpenServers:") {
			all = append(all, line)
		}
	}
	return all
}

// show shows what is known.
func (x *explaining) show(to io.Writer, told *explain.Explanation) {
	if !x.json {
		told.Show(to)
		return
	}
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(told); err != nil {
		panic("BUG: " + err.Error())
	}
}
