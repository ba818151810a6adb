package conf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Open opens a configuration file or a list for reading.
type Open func(name string) (io.ReadCloser, error)

// ErrNoFile is why what is a pipe, a socket or a device is not read: it may never end, or not even begin.
var ErrNoFile = errors.New("it is a pipe or a device, and no file")

// FromDisk makes an Open of what opens files. It opens nothing else but /dev/null, and what the program was given
// open, such as /dev/stdin.
func FromDisk(open func(name string) (*os.File, error)) Open {
	return func(name string) (io.ReadCloser, error) {
		facts, err := os.Stat(name)
		given := strings.HasPrefix(name, "/dev/fd/") || strings.HasPrefix(name, "/proc/") || name == "/dev/stdin" || name == os.DevNull
		if err == nil && !facts.Mode().IsRegular() && !facts.IsDir() && !given {
			return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNoFile}
		}
		file, err := open(name)
		if err != nil {
			return nil, err // and no io.ReadCloser that is not nil
		}
		return file, nil
	}
}

// Glob names the files that match a pattern of glob(7), sorted. A pattern without wildcards
// matches the file of that name if it is there.
type Glob func(pattern string) ([]string, error)

// Macros are the values of ${service_name}, ${process_name} and ${process_number}.
type Macros struct {
	Service string // "squid" when empty
	Process string // "squid" when empty, as in a proxy of one process
	Number  int    // 0 in a proxy of one process, else from 1
}

// Options are how to read. The zero value reads files as Squid without -n does.
type Options struct {
	Open   Open // os.Open when nil
	Glob   Glob // the file system when nil
	Macros Macros
	// Whole has the reading go on behind a line that is broken, which says so (Line.Broken).
	Whole bool
}

// Parse reads the file called name and what it includes.
//
// Lines that a false if leaves out, and the lines if, else, endif and include themselves, are
// among the lines of the type Control, so that they can be echoed in order.
//
// The error is a Report (*Fatal or *Bungled). The lines read before it are returned with it: a
// caller who wants Squid's order of messages looks at them first.
func Parse(name string, opt Options) ([]Line, error) {
	r := &reader{opt: opt.withDefaults()}
	err := r.file(name, 0, nil)
	return r.lines, err
}

func (o Options) withDefaults() Options {
	if o.Open == nil {
		o.Open = FromDisk(os.Open)
	}
	if o.Glob == nil {
		o.Glob = Match
	}
	if o.Macros.Service == "" {
		o.Macros.Service = "squid"
	}
	if o.Macros.Process == "" {
		o.Macros.Process = "squid"
	}
	return o
}

// reader collects lines over all files. quoted follows configuration_includes_quoted_values.
type reader struct {
	opt    Options
	quoted bool
	lines  []Line
}

// file reads one file; depth counts the includes above it, from is the last of them.
func (r *reader) file(name string, depth int, from *Pos) error {
	r.add(Line{Type: Opened, Pos: Pos{File: name, From: from}, Text: fmt.Sprintf("%s (depth %d)", name, depth)})
	if depth > maxNesting {
		return r.fatal(from, "WARNING: can't include %s: includes are nested too deeply (>16)!", name)
	}
	if strings.HasPrefix(name, "!") || strings.HasPrefix(name, "|") {
		return r.fatal(from, "Unable to open configuration file: %s: reading the output of a command is not supported", name)
	}
	file, err := r.opt.Open(name)
	if err != nil {
		err = r.fatal(from, "Unable to open configuration file: %s: %s", name, SystemText(err))
		if depth > 0 {
			err = r.broken(err)
		}
		return err
	}
	defer file.Close()
	s := source{reader: r, depth: depth, pos: Pos{File: name, From: from}}
	return s.read(bufio.NewReader(file))
}

func (r *reader) add(l Line) { r.lines = append(r.lines, l) }

// broken is called with what is wrong with the line that was added last. It ends the reading, or stays with the line.
func (r *reader) broken(err error) error {
	report, ok := err.(Report)
	if !r.opt.Whole || !ok || len(r.lines) == 0 {
		return err
	}
	if last := &r.lines[len(r.lines)-1]; last.Broken == nil {
		last.Broken = report
	}
	return nil
}

func (r *reader) fatal(at *Pos, format string, args ...any) error {
	fatal := &Fatal{Text: fmt.Sprintf(format, args...)}
	if at != nil {
		fatal.Pos = *at
	}
	return fatal
}

// source is one open file.
type source struct {
	*reader
	depth   int
	pos     Pos
	input   string // the physical line, blanks before it cut off
	pending string // the beginning of a line that is continued
	ifs     branches
}

func (s *source) read(in *bufio.Reader) error {
	for {
		text, err := in.ReadString('\n')
		if errors.Is(err, syscall.EISDIR) {
			err = io.EOF // Squid finds nothing in a directory, which "include conf.d/*" may name
		}
		if err != nil && err != io.EOF {
			return s.fatal(s.pos.From, "Unable to open configuration file: %s: %s", s.pos.File, SystemText(err))
		}
		if text != "" {
			if err := s.physical(text); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
	}
	s.lines[len(s.lines)-1].Lost = s.pending
	if s.ifs.open() {
		return s.broken(s.fatal(&s.pos, "if-statement without 'endif'"))
	}
	return nil
}

// physical reads one line of the file. Comment lines and blank lines do not end a continuation.
func (s *source) physical(text string) error {
	s.pos.Line++
	if end := strings.IndexAny(text, "\r\n"); end >= 0 {
		text = text[:end]
	}
	text = strings.TrimLeft(text, isspace)
	s.input = text
	if s.renumber(text) || text == "" {
		return nil
	}
	if text[0] == '#' {
		return s.comment(text)
	}
	s.pending += text
	if cut, continued := strings.CutSuffix(s.pending, `\`); continued {
		s.pending = cut
		return nil
	}
	text, s.pending = s.pending, ""
	return s.logical(s.expand(strings.TrimRight(text, isspace)))
}

// isspace is what C calls white space.
const isspace = " \t\n\v\f\r"

// ownMark begins a comment that is a directive of ours.
const ownMark = "#exaproxy"

// comment reads a comment line: nothing, unless it holds a directive of ours.
func (s *source) comment(text string) error {
	rest, ours := strings.CutPrefix(text, ownMark)
	if !ours || rest == "" || strings.IndexByte(space, rest[0]) < 0 {
		return nil
	}
	text = s.expand(strings.TrimRight(text, isspace))
	rest = strings.TrimLeft(strings.TrimPrefix(text, ownMark), space)
	if rest == "" {
		return nil
	}
	return s.setting(text, rest, true)
}

// renumber obeys lines such as
//
//	#line 12 "squid.conf.in"
//
// which preprocessors leave behind.
func (s *source) renumber(text string) bool {
	rest, ok := strings.CutPrefix(text, "#line ")
	if !ok {
		return false
	}
	number, name, _ := strings.Cut(strings.TrimLeft(rest, isspace), " ")
	n, err := strconv.Atoi(number)
	name = strings.TrimLeft(name, isspace)
	if err != nil || name != "" && name[0] != '"' {
		return false
	}
	if name != "" {
		s.pos.File, _, _ = strings.Cut(name[1:], `"`)
	}
	s.pos.Line = n - 1
	return true
}

// expand replaces the macros, wherever in the line they stand.
func (s *source) expand(text string) string {
	if !strings.Contains(text, "${") {
		return text
	}
	m := s.opt.Macros
	text = strings.ReplaceAll(text, "${service_name}", m.Service)
	text = strings.ReplaceAll(text, "${process_name}", m.Process)
	return strings.ReplaceAll(text, "${process_number}", strconv.Itoa(m.Number))
}

// logical reads a whole line.
func (s *source) logical(text string) error {
	conditional, err := s.ifs.parse(text)
	if err != nil {
		s.add(s.line(Control, text))
		return s.broken(s.fatal(&s.pos, "%s", err))
	}
	if conditional || !s.ifs.active() {
		s.add(s.line(Control, text))
		return nil
	}
	if patterns, ok := strings.CutPrefix(text, "include"); ok && patterns != "" && strings.IndexByte(isspace, patterns[0]) >= 0 {
		s.add(s.line(Control, text))
		return s.include(patterns)
	}
	return s.setting(text, text, false)
}

func (s *source) line(t LineType, text string) Line {
	return Line{Type: t, Pos: s.pos, Text: text, Input: s.input}
}

// setting reads a line that sets something; body is its text without ownMark.
func (s *source) setting(text, body string, own bool) error {
	if own && !s.ifs.active() {
		s.add(s.line(Control, text))
		return nil
	}
	l := s.line(Setting, text)
	l.Own = own
	l.Name = body
	if end := strings.IndexAny(body, space); end >= 0 {
		l.Name, l.Rest = body[:end], body[end+1:]
	}
	l.Directive = lookup(l.Name)
	err := l.lex(s.quoted)
	if err == nil && l.Name == "configuration_includes_quoted_values" {
		s.quoted, err = l.Args().Bool()
	}
	if err != nil {
		s.add(s.line(Control, text)) // to be echoed, but it sets nothing
		return s.broken(l.Bungle(err))
	}
	s.add(l)
	return nil
}

// include reads the files that match the patterns.
func (s *source) include(patterns string) error {
	var names []string
	for _, pattern := range ShellWords(patterns) {
		found, err := s.opt.Glob(pattern)
		if err == nil && len(found) == 0 {
			err = os.ErrNotExist
		}
		if err != nil {
			if err := s.broken(s.fatal(&s.pos, "Unable to find configuration file: %s: %s", pattern, notFound(err))); err != nil {
				return err
			}
		}
		names = append(names, found...)
	}
	from := s.pos
	for _, name := range names {
		if err := s.file(name, s.depth+1, &from); err != nil {
			return err
		}
	}
	return nil
}
