package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// A list is a configuration with its categories in memory. Nothing in it changes once it is loaded.
type list struct {
	conf        *config
	names       *table
	expressions []*regexp.Regexp // by category; nil: none
	longestURL  int              // of those in the lists; 0: none
	topLevel    bool             // there are names without a dot
	entries     int
	warnings    []string
	files       []string // what it was read from
	state       string   // of the files, before they were read: see signature
}

// The files of a category's folder.
const (
	domains     = "domains"
	urls        = "urls"
	expressions = "expressions"
)

// load reads the configuration and the lists. A file of which more than one line in a hundred
// cannot be read is no list. With an error, what is returned says only which files were looked at.
func load(path string) (*list, error) {
	l := &list{files: []string{path}, state: signature([]string{path})}
	var err error
	if l.conf, err = readConfig(path); err != nil {
		return l, err
	}
	for i := range l.conf.categories {
		for _, part := range []string{domains, urls, expressions} {
			l.files = append(l.files, l.inFolder(i, part))
		}
	}
	l.state += signature(l.files[1:])
	if err := l.checkFiles(); err != nil {
		return l, err
	}
	lines, err := l.countLines()
	if err != nil {
		return l, err
	}
	l.names = newTable(lines)
	l.expressions = make([]*regexp.Regexp, len(l.conf.categories))
	for i := range l.conf.categories {
		if err := l.loadCategory(i); err != nil {
			return l, err
		}
	}
	return l, nil
}

// inFolder is the name of one of a category's files.
func (l *list) inFolder(category int, name string) string {
	return filepath.Join(l.conf.lists, l.conf.categories[category], name)
}

// checkFiles wants one file at least for each category.
func (l *list) checkFiles() error {
	for i, name := range l.conf.categories {
		if !slices.ContainsFunc(l.files[1+3*i:4+3*i], exists) {
			return fmt.Errorf("%s:%d: category %s: none of the files %s, %s and %s is in %s", l.conf.path, l.conf.lines[i],
				name, domains, urls, expressions, l.inFolder(i, ""))
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist) // what else is wrong with it shows when it is read
}

// countLines tells how many names there may be.
func (l *list) countLines() (lines int, err error) {
	buffer := make([]byte, 256<<10)
	for _, path := range l.files[1:] {
		if filepath.Base(path) == expressions {
			continue
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for n := 0; err == nil; {
			n, err = f.Read(buffer)
			lines += bytes.Count(buffer[:n], []byte("\n"))
		}
		f.Close()
		if err != io.EOF {
			return 0, err
		}
		lines++ // the last one may have no end
	}
	return lines, nil
}

func (l *list) loadCategory(category int) error {
	before := l.entries
	add := func(name []byte) error {
		l.entries++
		return l.names.put(name, category)
	}
	var name []byte
	err := l.eachLine(l.inFolder(category, domains), func(line []byte) (ok bool, err error) {
		if name, ok = domainIn(name[:0], line); ok {
			l.topLevel = l.topLevel || bytes.IndexByte(name, '.') < 0
			err = add(name)
		}
		return ok, err
	})
	if err != nil {
		return err
	}
	err = l.eachLine(l.inFolder(category, urls), func(line []byte) (bool, error) {
		t, err := parseTarget("http://" + withoutScheme(string(line)))
		if err != nil {
			return false, nil
		}
		name = t.appendKey(name[:0])
		l.longestURL = max(l.longestURL, len(name))
		return true, add(name)
	})
	if err != nil {
		return err
	}
	if err := l.loadExpressions(category); err != nil {
		return err
	}
	if l.entries == before && l.expressions[category] == nil {
		return fmt.Errorf("%s: nothing is in it", l.inFolder(category, ""))
	}
	return nil
}

// loadExpressions makes one expression of all of a category's.
func (l *list) loadExpressions(category int) error {
	var all []string
	path := l.inFolder(category, expressions)
	err := l.eachLine(path, func(line []byte) (bool, error) {
		if _, err := syntax.Parse(string(line), syntax.Perl); err != nil {
			return false, err
		}
		all = append(all, "(?:"+string(line)+")")
		return true, nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	l.entries += len(all)
	if l.expressions[category], err = regexp.Compile("(?i)" + strings.Join(all, "|")); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// maxLine is the length of the longest line that a list may have.
const maxLine = 64 << 10

// eachLine hands over what is in a file, without empty lines and comments. A file that is not
// there has no lines.
func (l *list) eachLine(path string, do func([]byte) (ok bool, err error)) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, maxLine), maxLine)
	number, bad, firstBad := 0, 0, 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		ok, err := do(line)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
		if !ok {
			if bad++; bad == 1 {
				firstBad = number
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", path, number+1, err)
	}
	if bad*100 > number {
		return fmt.Errorf("%s:%d: this is no list: %d of its %d lines cannot be read, this one the first", path, firstBad, bad, number)
	}
	if bad > 0 {
		l.warnings = append(l.warnings, fmt.Sprintf("%s:%d: left out, as it cannot be read, and %d more of %d lines", path, firstBad, bad-1, number))
	}
	return nil
}

// domainIn appends the domain, or the address, that a line of a list names. Lines of hosts files
// (0.0.0.0 NAME) are understood too.
func domainIn(to, line []byte) ([]byte, bool) {
	if at := bytes.IndexAny(line, " \t#"); at >= 0 {
		name := bytes.TrimSpace(line[at:])
		if _, err := netip.ParseAddr(string(line[:at])); err == nil && len(name) > 0 && name[0] != '#' {
			return domainIn(to, name)
		}
		if len(name) > 0 && name[0] != '#' {
			return to, false
		}
		line = line[:at]
	}
	line = bytes.TrimPrefix(line, []byte("*"))
	line = bytes.Trim(line, ".")
	if simpleName(line) {
		for _, c := range line {
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			to = append(to, c)
		}
		return to, true
	}
	var t target
	if bytes.ContainsAny(line, "/?@") || t.setAddress(string(line)) != nil && t.setHost(string(line)) != nil || t.port != "" {
		return to, false
	}
	return append(to, t.host...), true
}

// simpleName says whether nothing has to be undone in a name, as in nearly all: that makes
// loading fast.
func simpleName(name []byte) bool {
	if len(name) == 0 || len(name) > maxHost || !isLetter(name[len(name)-1]) {
		return false
	}
	for _, c := range name {
		if !isLetter(c) && !isDigit(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	last := name[bytes.LastIndexByte(name, '.')+1:]
	return isLetter(last[0])
}

func withoutScheme(url string) string {
	if scheme, rest, ok := strings.Cut(url, "://"); ok && isScheme(scheme) {
		return rest
	}
	return url
}
