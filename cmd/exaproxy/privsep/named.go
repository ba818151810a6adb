package privsep

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"exaproxy/compat/conf"
)

// Named is what a configuration names, as far as its words tell. It knows no directive's meaning but
// that of ports, logs and pages, so that it needs not grow with them: a word that is a path, or ends in one
// behind an option's name, names that file.
type Named struct {
	words    []string
	files    []string // of the configuration itself
	patterns []string // of include lines
	pages    []string // values of error_directory
	logs     []string // words of lines about logs, and logs that need no line
	ports    []string
}

// NewNamed reads the configuration at path. ports are those of the command line; logs those that are
// written although no line names them.
func NewNamed(path string, macros conf.Macros, ports, logs []string) (*Named, error) {
	lines, err := conf.Parse(path, conf.Options{Macros: macros})
	if err != nil {
		return nil, err
	}
	n := &Named{ports: ports, logs: slices.Clone(logs)}
	for i := range lines {
		n.line(&lines[i])
	}
	return n, nil
}

// line notes what one line names.
func (n *Named) line(l *conf.Line) {
	switch l.Type {
	case conf.Opened:
		n.files = append(n.files, l.Pos.File)
		return
	case conf.Control:
		if word, rest, _ := strings.Cut(l.Text, " "); word == "include" {
			n.patterns = append(n.patterns, conf.ShellWords(rest)...)
		}
		return
	}
	for _, token := range l.Tokens {
		word := token.Text
		if list, ok := token.List(); ok {
			word = list
		}
		n.words = append(n.words, word)
		switch {
		case l.Name == "error_directory":
			n.pages = append(n.pages, filepath.Clean(word))
		case strings.HasSuffix(l.Name, "_log"):
			n.logs = append(n.logs, word)
		case strings.HasSuffix(l.Name, "_port"):
			n.ports = append(n.ports, word)
		}
	}
}

// Readable says whether the configuration names the file at path, is in it, or has it among its pages.
func (n *Named) Readable(path string) bool {
	return slices.Contains(n.files, path) || contains(n.words, path) ||
		slices.Contains(n.pages, filepath.Dir(path))
}

// Writable says whether the configuration names the log at path.
func (n *Named) Writable(path string) bool { return contains(n.logs, path) }

// Pattern says whether an include line has the pattern.
func (n *Named) Pattern(pattern string) bool { return slices.Contains(n.patterns, pattern) }

// Port says whether a line or the command line names the port.
func (n *Named) Port(port uint16) bool { return contains(n.ports, strconv.Itoa(int(port))) }

// contains says whether a word is name, or ends in it behind the sign that ends an option, a
// module or an address.
func contains(words []string, name string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		before, ok := strings.CutSuffix(word, name)
		return ok && (before == "" || strings.HasSuffix(before, "=") || strings.HasSuffix(before, ":"))
	})
}
