package acceptance

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// blockListConf is a category with a name, an address and a path.
const blockListConf = "redirect %s\nlists db\nblock bad\nsafesearch youtube=strict\n"

// blockListFor is the block list in contrib, with channels: one process, whatever there is to ask.
func blockListFor(t *testing.T, trap *trap) redirector {
	t.Helper()
	dir := world(t)
	return redirector{conf: blockList(t, dir, "http://"+otherName+"/?a=%a&t=%t&u=%u", map[string]string{
		"domains": blockedName + "\n" + trap.address.String() + "\n",
		"urls":    partlyBlockedName + "/" + blockedDir + "\n",
	}), blocks: blockedPath}
}

// blockList builds it into a folder, with these files of its category, and returns its directives.
func blockList(t *testing.T, dir, redirect string, files map[string]string) string {
	t.Helper()
	program := buildExample(t, dir, "blocklist")
	if err := os.MkdirAll(filepath.Join(dir, "db", "bad"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		writeFile(t, dir, "db/bad/"+name, text)
	}
	conf := writeFile(t, dir, "blocklist.conf", strings.Replace(blockListConf, "%s", redirect, 1))
	return "url_rewrite_program " + program + " -c " + conf + "\nurl_rewrite_children 1 startup=1 concurrency=1000\n"
}

// TestBlockListFilters has it filter as squidGuard does.
func TestBlockListFilters(t *testing.T) {
	dir := world(t)
	filters(t, exaproxy(), dir, blockList(t, dir, blockPage+"?t=%t", map[string]string{
		"domains": "blocked.test\n", "urls": "origin.test/forbidden\n",
	}))
}

// TestBlockListIsLoadedAgain has it take up a change by itself, and not take up what is broken.
func TestBlockListIsLoadedAgain(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.5", pages())
	writeFile(t, dir, "hosts", "127.0.0.5 origin.test\n")
	conf := blockList(t, dir, blockPage, map[string]string{"domains": "blocked.test\n"})
	writeFile(t, dir, "blocklist.conf", strings.Replace(blockListConf, "%s", blockPage, 1)+"check_every 1\n")
	x := start(t, exaproxy(), dir, base+openPort+conf)
	url := "http://origin.test:" + o.port() + "/allowed"
	x.curl(url).ok(t, "what is not blocked passes", "origin answers GET /allowed")
	writeFile(t, dir, "db/bad/domains", "<html>\n")
	x.logs("/db/bad/domains:1: this is no list: 1 of its 1 lines cannot be read, this one the first; the old list stays", time.Minute)
	x.curl(url).ok(t, "with a broken list it passes still", "origin answers GET /allowed")
	writeFile(t, dir, "db/bad/domains", "origin.test\n")
	x.logs("blocklist: loaded again: 1 entries", time.Minute)
	x.curl("-w", "%{http_code} %{redirect_url}", url).ok(t, "what has come to be blocked is redirected", "302 "+blockPage)
}

// TestBlockListMakesSearchesSafe has it lead tunnels to search engines to where they leave out what is not for
// children, and have whoever looks at tunnels let them pass.
func TestBlockListMakesSearchesSafe(t *testing.T) {
	dir := world(t)
	o := newOrigin(t, "127.0.0.5", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }))
	ca := newAuthority(t, dir, "www.google.com", "www.youtube.com")
	secure := ca.newTLSOrigin(t, "127.0.0.6", pages())
	writeFile(t, dir, "hosts", "127.0.0.5 www.bing.com\n127.0.0.6 forcesafesearch.google.com\n127.0.0.6 restrict.youtube.com\n")
	x := start(t, exaproxy(), dir, base+openPort+"acl SSL_ports port "+secure.port()+"\ntunnel_check on\n"+
		blockList(t, dir, blockPage, map[string]string{"domains": "blocked.test\n"}))
	x.curl("http://www.bing.com:"+o.port()+"/search?q=a&adlt=off").ok(t, "a search has its parameter", "/search?q=a&adlt=strict")
	for _, site := range []string{"www.google.com", "www.youtube.com"} { // whose usual names nobody knows here
		x.curl("--cacert", ca.file, "https://"+site+":"+secure.port()+"/results").ok(t, "a tunnel to "+site, "origin answers GET /results")
	}
	conn, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, "CONNECT mail.google.com:"+secure.port()+" HTTP/1.1\r\n\r\n")
	if answer, _ := io.ReadAll(conn); strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
		t.Errorf("mail is led to where searches are: %.100q", answer)
	}
}
