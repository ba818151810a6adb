package redirector

import (
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"exaproxy/compat/directive"
	"exaproxy/compat/errpage"
	"exaproxy/compat/rewrite"
	"exaproxy/engine"
)

const (
	longestPage = 1 << 20  // bytes of one page
	allPages    = 64 << 20 // bytes of all of them
)

// ReadPages reads the pages that helpers may name: those in error_directory, if it is set.
func (s *Settings) ReadPages(c *directive.Context, directory string) {
	if directory == "" {
		return
	}
	s.pageFolder = directory
	var err error
	if s.LocalPages, err = readPages(directory); err != nil {
		c.Say(1, "ERROR: cannot read error_directory: %s", err)
	}
}

// page finds the page that a helper means: its name in the folder, or the whole of its path.
func (s *Settings) page(name string) (page []byte, ok bool) {
	clean := path.Clean("/" + name)
	if page, ok = s.LocalPages[clean[1:]]; !ok && s.pageFolder != "" {
		page, ok = s.LocalPages[strings.TrimPrefix(clean, path.Clean(s.pageFolder)+"/")]
	}
	return page, ok
}

// readPages reads the pages that helpers may name with file://NAME: the regular files in dir and
// below. They are read with the configuration, since nothing that serves clients may wait for a
// disk. Links that lead out of dir are not followed.
func readPages(dir string) (pages map[string][]byte, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	pages = make(map[string][]byte)
	total := 0
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		page, err := readPage(root, name)
		if err != nil || page == nil {
			return err
		}
		if total += len(page); total > allPages {
			return fmt.Errorf("the pages in %s are more than %d bytes", dir, allPages)
		}
		pages[name] = page
		return nil
	})
	return pages, err
}

// readPage reads one file; nil if it is none that could be a page.
func readPage(root *os.Root, name string) ([]byte, error) {
	facts, err := root.Stat(name)
	if err != nil || !facts.Mode().IsRegular() || facts.Size() > longestPage {
		return nil, nil // a broken link, a socket, a video: nobody will name it
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, longestPage))
}

// mediaOf is the type of a page: HTML or text, by its beginning, as the first ExaProxy did.
func mediaOf(page []byte) string {
	beginning := strings.ToLower(strings.TrimSpace(string(page[:min(len(page), 512)])))
	if strings.HasPrefix(beginning, "<html") || strings.HasPrefix(beginning, "<!doctype html") {
		return errpage.ContentType
	}
	return "text/plain;charset=utf-8"
}

// fill replaces %(url)s, %(host)s, %(protocol)s, %(client_ip)s and %(comment)s, the fields of the
// first ExaProxy's pages. Any other % stays as it is. What comes from the client is escaped.
func fill(page string, r *engine.Request, answer *rewrite.Answer) string {
	if !strings.Contains(page, "%(") {
		return page
	}
	var comment string
	answer.EachNote(func(key, value []byte) {
		if string(key) == "message" {
			comment = string(value)
		}
	})
	scheme := r.Target.Scheme
	if scheme == "" {
		scheme = "https" // of a CONNECT
	}
	return strings.NewReplacer(
		"%(url)s", html.EscapeString(string(r.Target.AppendURL(nil))),
		"%(host)s", html.EscapeString(string(r.Target.Host)),
		"%(protocol)s", html.EscapeString(scheme),
		"%(client_ip)s", r.TellClient().Addr().Unmap().String(),
		"%(comment)s", html.EscapeString(comment),
	).Replace(page)
}
