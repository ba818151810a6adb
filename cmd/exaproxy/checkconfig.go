package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"exaproxy/compat"
	"exaproxy/compat/helpertest"
	"exaproxy/compat/logs"
	"exaproxy/engine"
)

// checkConfigWord is the command that tells what becomes of a configuration: exaproxy check-config.
const checkConfigWord = "check-config"

// checkConfigText says how it is used.
//
//go:embed checkconfig.txt
var checkConfigText string

// A configCheck is one call of the command.
type configCheck struct {
	o              options // -f, -n
	noProbes, json bool
	timeout        int // seconds

	found configReport
}

// A configReport is what was found. Its JSON is for programs, and stays as it is.
type configReport struct {
	File    string              `json:"file"`
	Usable  bool                `json:"usable"`
	Verdict string              `json:"verdict"`
	Lines   []compat.JudgedLine `json:"lines"`
	Said    []string            `json:"said,omitempty"` // of the whole file
	Helpers []checkedHelper     `json:"helpers,omitempty"`
	Ports   []checkedPort       `json:"ports,omitempty"`
	Files   []checkedFile       `json:"files,omitempty"`
}

// A checkedFile is a file that the proxy writes, and whether it can be there.
type checkedFile struct {
	Path  string `json:"path"`
	For   string `json:"for"`   // the directive
	State string `json:"state"` // "can be there", or why not
}

// A checkedHelper is a helper, and what came of a question to it.
type checkedHelper struct {
	Name    string             `json:"name"`
	Program []string           `json:"program"`
	State   string             `json:"state"` // "answers", "not tried", "at fault"
	Detail  string             `json:"detail,omitempty"`
	Took    float64            `json:"seconds,omitempty"`
	Stderr  []string           `json:"stderr,omitempty"` // of one at fault, the beginning
	Faults  []helpertest.Fault `json:"faults,omitempty"`
}

// A checkedPort is a port, and whether it can be listened on.
type checkedPort struct {
	Address string `json:"address"`
	State   string `json:"state"` // "free", or why not
}

// checkConfig carries the command out.
func checkConfig(args []string, stdout, stderr io.Writer) int {
	c := &configCheck{}
	if err := c.parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			fmt.Fprint(stdout, checkConfigText)
			return 0
		}
		fmt.Fprintf(stderr, "exaproxy %s: %s\n%s", checkConfigWord, err, checkConfigText)
		return 1
	}
	ctx, end := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer end()
	c.run(ctx, stderr)
	c.show(stdout)
	if !c.found.Usable || c.found.faulty() {
		return 1
	}
	return 0
}

// parse reads the arguments.
func (c *configCheck) parse(args []string) error {
	flags := pflag.NewFlagSet(checkConfigWord, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.StringVarP(&c.o.file, "file", "f", "", "")
	flags.StringVarP(&c.o.service, "name", "n", "", "")
	flags.BoolVar(&c.noProbes, "no-probes", false, "")
	flags.BoolVar(&c.json, "json", false, "")
	flags.IntVar(&c.timeout, "timeout", 20, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("'%s' is not expected: the file stands behind -f", flags.Arg(0))
	}
	if c.timeout < 1 {
		return errors.New("--timeout is a number above 0")
	}
	return nil
}

// run finds out what there is to find out. Who is at a terminal sees which helper is waited for.
func (c *configCheck) run(ctx context.Context, stderr io.Writer) {
	found := &c.found
	found.File = c.o.configuration()
	var ofLine, all []string
	settings, err := compat.Load(found.File, compat.Overrides{Whole: true, Service: c.o.service, Open: readWith(nil), Glob: matchWith(nil),
		Say: func(_ int, text string) { all = append(all, text) },
		Judged: func(l compat.JudgedLine) {
			ofLine = append(ofLine, l.Said...)
			found.Lines = append(found.Lines, l)
		}})
	if n := len(all) - 1; n >= 0 {
		found.Verdict = strings.TrimPrefix(strings.TrimPrefix(all[n], "FATAL: "), "NOTICE: ")
		found.Said = without(all[:n], ofLine)
	}
	if found.Usable = err == nil; !found.Usable {
		return
	}
	for _, p := range settings.Ports {
		found.Ports = append(found.Ports, checkPort(p))
	}
	found.checkFiles(settings)
	if err := becomeHelpersUser(settings); err != nil {
		found.Usable, found.Verdict = false, err.Error()
		return
	}
	for _, p := range settings.Programs(logs.NewCacheLog(logs.CacheLogOptions{Stderr: io.Discard})) {
		if isTerminal(stderr) {
			fmt.Fprintf(stderr, "asking %s\n", p.Name)
		}
		found.Helpers = append(found.Helpers, c.tryHelper(ctx, &p))
	}
	if found.faulty() {
		found.Verdict += ", but for what is at fault"
	}
}

// without are messages less those of lines, in their order.
func without(all, ofLines []string) (rest []string) {
	for _, text := range all {
		if len(ofLines) > 0 && ofLines[0] == text {
			ofLines = ofLines[1:]
			continue
		}
		rest = append(rest, text)
	}
	return rest
}

// probes are the questions, by the kind of helper.
var probes = map[string]string{
	"url_rewrite": "http://www.example.com/", "reqmod": "http://www.example.com/", "auth": "check-config none",
	"digest": `"check-config":"none"`, "external_acl": "check-config",
}

// tryHelper asks a helper one question.
func (c *configCheck) tryHelper(ctx context.Context, p *helpertest.Program) checkedHelper {
	h := checkedHelper{Name: p.Name, Program: p.Config.Argv, State: "not tried"}
	switch {
	case c.noProbes:
		return h
	case p.Talk == nil:
		h.Detail = helpertest.ErrHandshake.Error()
		return h
	}
	patience := time.Duration(c.timeout) * time.Second
	var heard heardLines
	p.Config.Stderr = &heard
	o := helpertest.Options{Patience: patience, Start: patience, Log: slog.New(slog.DiscardHandler)}
	report, err := helpertest.Try(ctx, p, helpertest.Source{Lines: strings.NewReader(probes[p.Kind] + "\n")}, false, o, func(r helpertest.Row) {
		if h.Detail = r.Does; r.Err != nil {
			h.Detail = r.Err.Error()
		}
	})
	h.State, h.Took, h.Faults = "answers", report.Median.Seconds(), report.Faults
	if err != nil {
		h.Detail = err.Error()
	}
	if err != nil || len(report.Faults) > 0 {
		h.State, h.Stderr = atFault, heard.first()
	}
	if len(report.Faults) > 0 && strings.HasSuffix(h.Detail, report.Faults[0].First) {
		h.Detail = ""
	}
	return h
}

// checkPort says whether a port can be listened on now.
func checkPort(p engine.Port) checkedPort {
	l, err := net.Listen("tcp", p.Addr.String())
	c := checkedPort{Address: p.Addr.String(), State: "free"}
	switch {
	case err == nil:
		l.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		c.State = "in use: by the proxy that runs now?"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		c.State = "no interface has this address now; it is served when one has"
	case errors.Is(err, syscall.EACCES):
		c.State = "only root may listen there"
	default:
		c.State = err.Error()
	}
	return c
}

const (
	atFault    = "at fault"
	canBeThere = "can be there"
)

// faulty says whether a helper or a file is at fault.
func (r *configReport) faulty() bool {
	return slices.ContainsFunc(r.Helpers, func(h checkedHelper) bool { return h.State == atFault }) ||
		slices.ContainsFunc(r.Files, func(f checkedFile) bool { return f.State != canBeThere })
}

// checkFiles looks whether the files that the proxy writes can be where the configuration has them. Nothing is written.
func (r *configReport) checkFiles(s *compat.Settings) {
	check := func(directive, path string) {
		if path != "" {
			r.Files = append(r.Files, checkedFile{path, directive, whyNot(path)})
		}
	}
	check("cache_log", s.Logs.CacheLog)
	for _, log := range s.Logs.AccessLogs {
		if log.Module == logs.ToFile {
			check("access_log", log.Path)
		}
	}
	if s.Logs.KeyLog != nil {
		check("tls_key_log", s.Logs.KeyLog.Path)
	}
	check("pid_filename", s.Program.PIDFile)
}

// whyNot says why there can be no file at a path, or that there can.
func whyNot(path string) string {
	folder, err := os.Stat(filepath.Dir(path))
	switch {
	case err != nil:
		return "there is no folder " + filepath.Dir(path)
	case !folder.IsDir():
		return filepath.Dir(path) + " is no folder"
	}
	if facts, err := os.Stat(path); err == nil && facts.IsDir() {
		return "it is a folder"
	}
	return canBeThere
}

// heardLines are what a helper writes to its standard error, on another goroutine.
type heardLines struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (h *heardLines) Write(p []byte) (int, error) {
	const most = 4 << 10
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, p[:min(len(p), most-len(h.text))]...)
	return len(p), nil
}

// first are the first lines.
func (h *heardLines) first() (lines []string) {
	const most = 10
	h.mu.Lock()
	defer h.mu.Unlock()
	for line := range bytes.Lines(h.text) {
		if len(lines) < most {
			lines = append(lines, helpertest.Printable(bytes.TrimRight(line, "\n"), 200))
		}
	}
	return lines
}

// show shows what was found.
func (c *configCheck) show(to io.Writer) {
	if !c.json {
		c.found.show(to)
		return
	}
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(&c.found); err != nil {
		panic("BUG: " + err.Error())
	}
}
