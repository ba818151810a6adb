package privsep

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"exaproxy/compat/account"
	"exaproxy/compat/conf"
)

// Named is what a configuration names that only root may open, as far as its words tell: lists,
// certificates and keys, pages, logs, ports. It knows no more of directives than which of their words are
// names. Lines in files that others than root can change name nothing.
type Named struct {
	files    []source
	patterns []string // of include lines
	reads    []string
	pages    []string // values of error_directory
	logs     []string
	ports    []string // [address:]port
}

// A source is a file of the configuration as it was when it was read.
type source struct {
	path    string
	facts   syscall.Stat_t // its times, the one of its last change of any kind among them
	trusted bool
}

// NewNamed reads the configuration at path. ports are those of the command line; logs those that are
// written although no line names them.
func NewNamed(path string, macros conf.Macros, ports, logs []string) (*Named, error) {
	lines, err := conf.Parse(path, conf.Options{Macros: macros, Open: conf.FromDisk(account.Open)})
	if err != nil {
		return nil, err
	}
	n := &Named{ports: slices.Clone(ports)}
	for i := range lines {
		l := &lines[i]
		if l.Type == conf.Opened {
			n.opened(l.Pos.File)
		} else if n.trusts(l.Pos.File) {
			n.line(l)
		}
	}
	if n.trusts(path) {
		n.logs = append(n.logs, logs...)
	}
	return n, nil
}

// opened notes a file of the configuration.
func (n *Named) opened(path string) {
	n.files = append(n.files, source{path, facts(path), trusted(path)})
}

// trusted says whether nobody but root can change a file. Without root's rights there is nothing that a line
// could get at.
func trusted(path string) bool { return os.Geteuid() != 0 || account.OnlyRoot(path) }

// facts are what the system knows of a file; zero if it cannot be looked at.
func facts(path string) (s syscall.Stat_t) {
	if err := syscall.Stat(path, &s); err != nil {
		return syscall.Stat_t{}
	}
	s.Atim = syscall.Timespec{} // it is read
	return s
}

func (n *Named) trusts(path string) bool {
	return slices.ContainsFunc(n.files, func(f source) bool { return f.path == path && f.trusted })
}

// fresh says whether the files are those that were read. A nil Named is not.
func (n *Named) fresh() bool {
	if n == nil {
		return false
	}
	return !slices.ContainsFunc(n.files, func(f source) bool {
		now := facts(f.path)
		return now != f.facts || now.Ino == 0 || trusted(f.path) != f.trusted
	})
}

// line notes what one line names.
func (n *Named) line(l *conf.Line) {
	if l.Type == conf.Control {
		if word, rest, _ := strings.Cut(l.Text, " "); word == "include" {
			n.patterns = append(n.patterns, conf.ShellWords(rest)...)
		}
		return
	}
	for i, token := range l.Tokens {
		if list, ok := token.List(); ok {
			n.reads = append(n.reads, list)
		} else {
			n.word(l.Name, token.Text, i == 0)
		}
	}
}

// word notes what a word names that is no list.
func (n *Named) word(directive, word string, first bool) {
	port := strings.HasSuffix(directive, "_port")
	switch {
	case port && first:
		n.ports = append(n.ports, word)
	case port:
		if option, path, ok := strings.Cut(word, "="); ok && secret(option) {
			n.reads = append(n.reads, path)
		}
	case !first:
	case directive == "error_directory":
		n.pages = append(n.pages, filepath.Clean(word))
	case directive == "err_page_stylesheet" || directive == "hosts_file":
		n.reads = append(n.reads, word)
	case directive == "cache_log":
		n.logs = append(n.logs, word)
	case directive == "access_log" || directive == "cache_access_log" || directive == "tls_key_log":
		n.logs = append(n.logs, word[strings.IndexByte(word, ':')+1:]) // behind the module's name
	}
}

// secret says whether an option of a port has the path of a certificate or a key.
func secret(option string) bool {
	switch strings.TrimPrefix(option, "tls-") {
	case "cert", "key", "cafile", "clientca", "crlfile", "ocsp-staple":
		return true
	}
	return false
}

// Distrusted is a file of the configuration that others than root can change; "" if there is none.
func (n *Named) Distrusted() string {
	for _, f := range n.files {
		if !f.trusted {
			return f.path
		}
	}
	return ""
}

// Readable says whether the configuration names the file at path, is in it, or has it among its pages.
func (n *Named) Readable(path string) bool {
	return slices.ContainsFunc(n.files, func(f source) bool { return f.path == path }) ||
		slices.Contains(n.reads, path) || slices.Contains(n.pages, filepath.Dir(path)) && filepath.Clean(path) == path
}

// Writable says whether the configuration names the log at path.
func (n *Named) Writable(path string) bool {
	return filepath.IsAbs(path) && slices.Contains(n.logs, path)
}

// Pattern says whether an include line has the pattern.
func (n *Named) Pattern(pattern string) bool { return slices.Contains(n.patterns, pattern) }

// Port says whether a line or the command line names the port, and, if it names an address, that.
func (n *Named) Port(addr netip.AddrPort) bool {
	return slices.ContainsFunc(n.ports, func(word string) bool {
		host, number := "", word
		if at := strings.LastIndexByte(word, ':'); at >= 0 {
			host, number = word[:at], word[at+1:]
		}
		if number != strconv.Itoa(int(addr.Port())) {
			return false
		}
		literal, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return err != nil || literal == addr.Addr() // a name may be any address
	})
}
