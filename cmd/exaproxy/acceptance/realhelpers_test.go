package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestRealHelpersDecideAsUnderSquid has programs that others have written for Squid judge the same requests for Squid
// and for us, unchanged and by the same lines of squid.conf. testdata/helpers has a file for each configuration; its
// sections are
//
//	needs       the programs, and their packages
//	setup       a shell script that makes what they need, in a folder of the test's
//	beside      servers that are started before the proxy
//	squid.conf  the configuration
//	requests    what curl is asked to fetch, one after the other, and what is to come of it
//
// and, of any other name, files for the helpers.
func TestRealHelpersDecideAsUnderSquid(t *testing.T) {
	squid(t)
	peer(t, "curl", "curl")
	paths, err := filepath.Glob("testdata/helpers/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no configurations: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel() // Squid takes its time to start
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			newHelped(t, archive).compare()
		})
	}
}

// helpersTried are at least those of whom a verdict for and one against is to be seen.
const helpersTried = 21

// One configuration cannot have forgotten the half of a helper, and all together not half of the helpers.
func TestRealHelpersAreSeenToAgreeAndToRefuse(t *testing.T) {
	paths, err := filepath.Glob("testdata/helpers/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]map[string]bool{"for": {}, "against": {}, "same": {}}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range trials(t, string(section(archive, "requests"))) {
			if seen[tr.verdict] == nil {
				t.Fatalf("%s: %q is no verdict", path, tr.verdict)
			}
			seen[tr.verdict][tr.helper] = true
		}
	}
	both := 0
	for helper := range seen["for"] {
		switch {
		case seen["against"][helper]:
			both++
		case !seen["same"][helper]:
			t.Errorf("%s is not seen to refuse; if it never does, a line with \"same\" says so", helper)
		}
	}
	if both < helpersTried {
		t.Errorf("%d helpers are seen to agree and to refuse, want %d", both, helpersTried)
	}
}

// A trial is one request, and what it is to come to.
type trial struct {
	verdict string   // what the helper is to say: for, against, or the same as to everything
	helper  string   // who has the say
	args    []string // curl's, with the URL, or the path at the origin, last
	want    string   // status, user in the log, and where it went: a Location, a page of ours, or a path at the origin
}

// trials reads lines such as
//
//	against basic_ncsa_auth: -U bob:wrong /users => 407 bob ERR_CACHE_ACCESS_DENIED
func trials(t *testing.T, text string) (all []trial) {
	t.Helper()
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		who, rest, _ := strings.Cut(line, ":")
		asked, want, found := strings.Cut(rest, " => ")
		words := strings.Fields(who)
		if !found || len(words) != 2 || len(strings.Fields(want)) != 3 {
			t.Fatalf("not a trial: %s", line)
		}
		all = append(all, trial{words[0], words[1], strings.Fields(asked), strings.Join(strings.Fields(want), " ")})
	}
	return all
}

// section is a file of an archive; nothing if there is none.
func section(archive *txtar.Archive, name string) []byte {
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// helped is one configuration, held against both proxies.
type helped struct {
	t       *testing.T
	archive *txtar.Archive
	origin  *origin
	peers   map[string]string // what stands in the place of a {word}
}

func newHelped(t *testing.T, archive *txtar.Archive) *helped {
	t.Helper()
	for line := range strings.Lines(string(section(archive, "needs"))) {
		if words := strings.Fields(line); len(words) == 2 {
			needs(t, words[0], words[1])
		}
	}
	h := &helped{t: t, archive: archive, origin: newOrigin(t, "127.0.0.5", pages())}
	h.peers = map[string]string{"{port}": h.origin.port()}
	return h
}

// needs skips the test where a program is missing, or fails it where all have to be there. path is a pattern.
func needs(t *testing.T, path, packageName string) {
	t.Helper()
	if found, _ := filepath.Glob(path); len(found) > 0 {
		return
	}
	if os.Getenv("EXAPROXY_PEERS") == "required" {
		t.Fatalf("%s is not installed (Debian: apt-get install %s)", path, packageName)
	}
	t.Skipf("%s is not installed (Debian: apt-get install %s)", path, packageName)
}

// compare asks both proxies everything, and compares what they say and what they log with what is expected.
func (h *helped) compare() {
	h.t.Helper()
	list := trials(h.t, h.fill("", string(section(h.archive, "requests"))))
	told, logs := [2][]string{}, [2]string{}
	for i, p := range []program{squid(h.t), exaproxy()} {
		told[i], logs[i] = h.under(p, list)
	}
	for i, tr := range list {
		if theirs, ours := told[0][i], told[1][i]; theirs != tr.want || ours != tr.want {
			h.t.Errorf("%s is to decide %s: curl %s\n  ours    %s\n  Squid's %s\n  want    %s",
				tr.helper, tr.verdict, strings.Join(tr.args, " "), ours, theirs, tr.want)
		}
	}
	if logs[0] != logs[1] {
		h.t.Errorf("we log\n%s\nSquid logs\n%s", logs[1], logs[0])
	}
}

// helpedLog is what of a request both have to log alike.
const helpedLog = "logformat seen %>Hs %un %ue %et %ea %rm %ru\naccess_log stdio:{dir}/seen.log seen\n"

// under asks one proxy. It has a folder of its own, as helpers keep what they have learned.
func (h *helped) under(p program, list []trial) (told []string, log string) {
	h.t.Helper()
	dir := world(h.t)
	p = h.prepare(dir, p)
	x := start(h.t, p, dir, h.fill(dir, string(section(h.archive, "squid.conf")))+helpedLog+base+"http_port 127.0.0.1:"+freePort(h.t)+"\n")
	for _, tr := range list {
		told = append(told, h.ask(x, tr))
	}
	lines := x.seen()
	slices.Sort(lines)
	x.quiet = true // the differences say it all
	x.end()
	return told, strings.Join(lines, "\n")
}

// seen are the lines of seen.log. Squid has others, of connections that were closed.
func (x *proxy) seen() []string {
	return slices.DeleteFunc(strings.Split(x.file("seen.log"), "\n"), func(line string) bool {
		return line == "" || strings.Contains(line, "error:transaction-end-before-headers")
	})
}

// ask has curl make one request, and tells what came of it.
func (h *helped) ask(x *proxy, tr trial) string {
	h.t.Helper()
	args := slices.Clone(tr.args)
	if url := &args[len(args)-1]; strings.HasPrefix(*url, "/") {
		*url = "http://origin.test:" + h.origin.port() + *url
	}
	before := len(x.seen())
	c := x.curl(append([]string{"-i"}, args...)...)
	replies, last := 0, ""
	for reply := range strings.SplitSeq("\n"+c.out, "\nHTTP/1.1 ") {
		if replies, last = replies+1, reply; replies == 1 {
			last = ""
		}
	}
	if last == "" {
		return fmt.Sprintf("(no reply: %s)", c.err)
	}
	x.eventually("has logged the request", 20*time.Second, func() bool { return len(x.seen()) >= before+replies-1 })
	lines := x.seen()
	return fmt.Sprintf("%s %s %s", last[:3], strings.Fields(lines[len(lines)-1])[1], whereTo(last))
}

// whereTo is where a reply sends the client, which page of the proxy's it is, or which of the origin's.
func whereTo(reply string) string {
	for line := range strings.Lines(reply) {
		for _, field := range []string{"Location: ", "X-Squid-Error: ", "origin answers GET "} {
			if after, ok := strings.CutPrefix(line, field); ok {
				return strings.TrimSuffix(strings.TrimSpace(after), " 0")
			}
		}
	}
	return "-"
}
