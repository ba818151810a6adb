package redirector

import (
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"strings"

	"exaproxy/compat/decision"
	"exaproxy/compat/errpage"
	"exaproxy/compat/rewrite"
	"exaproxy/engine"
)

const (
	longestPage = 1 << 20  // bytes of one page
	allPages    = 64 << 20 // bytes of all of them
)

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

// servePage answers with the page that a helper named (file://NAME). A name that is not there is
// an invalid answer.
func (p *Policy) servePage(r *engine.Request, st *State, m *decision.Memory) engine.Decision {
	name := strings.TrimLeft(string(st.answer.Name), "/")
	page, ok := p.settings.LocalPages[name]
	if !ok {
		p.log.Error(fmt.Sprintf("URL rewrite helper: there is no page '%s' in error_directory", name), "url", p.shortURL(r))
		return fault(p.settings.Invalid, m, engine.HelperLost, nil)
	}
	body := append(m.Reply.Body[:0], fill(string(page), r, &st.answer)...)
	media := mediaOf(page)
	fields := p.identity.AppendPage(m.Reply.Fields[:0], media, len(body), p.now())
	m.Reply = engine.LocalReply{Status: 200, Fields: fields, Body: body, ContentType: media}
	return m.Serve()
}

// mediaOf tells a page of HTML from one of text by its beginning, as the first ExaProxy did.
func mediaOf(page []byte) string {
	beginning := strings.ToLower(strings.TrimSpace(string(page[:min(len(page), 512)])))
	if strings.HasPrefix(beginning, "<html") || strings.HasPrefix(beginning, "<!doctype html") {
		return errpage.HTML
	}
	return "text/plain;charset=utf-8"
}

// fill replaces %(url)s, %(host)s, %(protocol)s, %(client_ip)s and %(comment)s, the fields of the
// first ExaProxy's pages. Any other % stays as it is. What comes from the client is escaped.
func fill(page string, r *engine.Request, answer *rewrite.Reply) string {
	if !strings.Contains(page, "%(") {
		return page
	}
	var comment string
	answer.EachNote(func(key, value string) {
		if key == "message" {
			comment = value
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
		"%(client_ip)s", r.Client.Addr().Unmap().String(),
		"%(comment)s", html.EscapeString(comment),
	).Replace(page)
}
