package compat

import (
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"strings"

	"exaproxy/engine"
)

const (
	longestLocal = 1 << 20  // bytes of one page
	allLocal     = 64 << 20 // bytes of all of them
)

// readLocal reads the pages that helpers may name with file://NAME: the regular files in dir and
// below. They are read with the configuration, since nothing that serves clients may wait for a
// disk. Links that lead out of dir are not followed.
func readLocal(dir string) (pages map[string][]byte, err error) {
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
		if total += len(page); total > allLocal {
			return fmt.Errorf("the pages in %s are more than %d bytes", dir, allLocal)
		}
		pages[name] = page
		return nil
	})
	return pages, err
}

// readPage reads one file; nil if it is none that could be a page.
func readPage(root *os.Root, name string) ([]byte, error) {
	facts, err := root.Stat(name)
	if err != nil || !facts.Mode().IsRegular() || facts.Size() > longestLocal {
		return nil, nil // a broken link, a socket, a video: nobody will name it
	}
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, longestLocal))
}

// local answers with the page that a helper named (file://NAME). A name that is not there is an
// invalid answer.
func (p *policy) local(r *engine.Request, v *visit) engine.Decision {
	name := strings.TrimLeft(string(v.verdict.Name), "/")
	page, ok := p.s.LocalPages[name]
	if !ok {
		p.log.Error(fmt.Sprintf("URL rewrite helper: there is no page '%s' in error_directory", name), "url", p.shown(r))
		return p.fault(r, p.s.Rewriter.Invalid, engine.HelperLost, nil)
	}
	v.body = append(v.body[:0], p.fill(string(page), r)...)
	media := mediaOf(page)
	v.fields = fmt.Appendf(v.fields[:0], "Server: %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nCache-Control: no-store\r\n",
		p.words.self.Product, p.now().UTC().Format(dateForm), media, len(v.body))
	v.reply = engine.LocalReply{Status: 200, Fields: v.fields, Body: v.body, ContentType: media}
	return engine.Decision{Action: engine.Serve, Reply: &v.reply}
}

// mediaOf tells a page of HTML from one of text by its beginning, as the first ExaProxy did.
func mediaOf(page []byte) string {
	beginning := strings.ToLower(strings.TrimSpace(string(page[:min(len(page), 512)])))
	if strings.HasPrefix(beginning, "<html") || strings.HasPrefix(beginning, "<!doctype html") {
		return htmlPage
	}
	return "text/plain;charset=utf-8"
}

// fill replaces %(url)s, %(host)s, %(protocol)s, %(client_ip)s and %(comment)s, the fields of the
// first ExaProxy's pages. Any other % stays as it is. What comes from the client is escaped.
func (p *policy) fill(page string, r *engine.Request) string {
	if !strings.Contains(page, "%(") {
		return page
	}
	var comment string
	if v := visited(r); v != nil {
		v.verdict.EachNote(func(key, value string) {
			if key == "message" {
				comment = value
			}
		})
	}
	scheme := r.Target.Scheme
	if scheme == "" {
		scheme = "https" // of a CONNECT
	}
	return strings.NewReplacer(
		"%(url)s", html.EscapeString(string(r.Target.AppendURL(nil))),
		"%(host)s", html.EscapeString(string(r.Target.Host)),
		"%(protocol)s", html.EscapeString(scheme),
		"%(client_ip)s", r.Client.Addr().Unmap().String(),
		"%(comment)s", html.EscapeString(comment),
	).Replace(page)
}
