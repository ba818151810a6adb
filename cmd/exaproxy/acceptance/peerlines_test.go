package acceptance

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// peerLines are lines of which both programs say the same; those behind a bar follow in the same file.
var peerLines = []string{
	"", "a.test", "a.test parent", "a.test parent 3128", "a.test foo 3128 0", "a.test Parent 3128 0", "a.test parent 0 0", "a.test parent x 0",
	"a.test parent 3128 x", "a.test parent 99999 0", "a.test parent 3128 0 bogus", "a.test parent 3128 0 Default", "a.test parent 3128 0 weight=0",
	"a.test parent 3128 0 weight=-2", "a.test parent 3128 0 weight=x", "a.test parent 3128 0 max-conn", "a.test parent 3128 0 max-conn=x",
	"a.test parent 3128 0 max-conn=-1", "a.test parent 3128 0 connect-timeout=x", "a.test parent 3128 0 connect-timeout=-5",
	"a.test parent 3128 0 connect-fail-limit=x", "a.test parent 3128 0 connect-fail-limit=0", "a.test parent 3128 0 name=", "a.test parent 3128 0 name",
	"a.test parent 3128 0|cache_peer a.test parent 3128 0", "a.test parent 3128 0 name=x|cache_peer b.test parent 3128 0 name=x",
	"a.test parent 3128 0|cache_peer A.test parent 3128 0 name=b", "a.test sibling 3128 0 carp", "a.test sibling 3128 0 userhash",
	"a.test sibling 3128 0 sourcehash", "a.test multicast 3128 3130 ttl=300", "a.test parent 3128 0 login=", "a.test parent 3128 0 standby=5 max-conn=3",
	"a.test parent 3128 0 forceddomain", "a.test parent 3128 0 carp-key=host", "a.test parent 3128 0 carp carp-key=bogus",
	"a.test parent 3128 0 carp-load-factor=0.5", "a.test parent 3128 0 htcp=bogus", "a.test parent 3128 0 htcp=no-clr,forward-clr",
	"a.test parent 3128 0 closest-only basetime=1 background-ping no-digest digest-url=x no-netdb-exchange no-delay", "a.test parent 3128 0 front-end-https=x",
	"a.test parent 3128 0 connection-auth=x", "a.test parent 3128 0 connection-auth=on auth-no-keytab no-tproxy proxy-only allow-miss",
	"a.test parent 3128 0 monitorurl=http://x/ monitorsize=1 monitorinterval=5 monitortimeout=3", "a.test parent 3128 0 tls ssloptions=BOGUS",
	"a.test parent 3128 0|cache_peer_access a.test", "a.test parent 3128 0|cache_peer_access a.test foo all",
	"a.test parent 3128 0|cache_peer_access a.test allow nosuch", "a.test parent 3128 0|cache_peer_access A.TEST allow all",
	"a.test parent 3128 0|cache_peer_access b.test allow all", "a.test parent 3128 0|neighbor_type_domain a.test sibling .x .y",
	"a.test parent 3128 0|neighbor_type_domain a.test foo .x", "a.test parent 3128 0|neighbor_type_domain a.test", "a.test parent 3128 0|peer_connect_timeout x",
}

var (
	parseDate = regexp.MustCompile(`(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(\| ?)? *`)
	parseOwn  = regexp.MustCompile(`^(Startup: |Processing|Set Current|Initializing|Not currently OK|storeDirWrite|Squid Cache|CPU Usage|Maximum Res|Page faults|` +
		`Requiring client|Finished|Took|NOTICE|ExaProxy|WARNING: .* has no effect$|FATAL: \S+ cannot be used: |\S+: cannot be judged before )`)
	ourPlace = regexp.MustCompile(`(: correct it, or take it out)? \(\S+ line \d+\)$|: its line, or its name=, has to stand above$`)
)

// parsedPeers is what a program says of a configuration, but for what is its own affair.
func parsedPeers(t *testing.T, p program, path string) (said []string, fine bool) {
	t.Helper()
	out, err := exec.Command(p.path, append(slices.Clone(p.args), "-k", "parse", "-f", path)...).CombinedOutput()
	for line := range strings.Lines(parseDate.ReplaceAllString(string(out), "")) {
		line = ourPlace.ReplaceAllString(strings.TrimSpace(line), "")
		if line != "" && !parseOwn.MatchString(line) {
			said = append(said, line)
		}
	}
	return said, err == nil
}

// TestPeerLinesAreSquids has both programs parse lines of peers, right and wrong ones.
func TestPeerLinesAreSquids(t *testing.T) {
	squid := squid(t)
	for _, line := range peerLines {
		dir := world(t)
		text := "http_port 3128\ncache_peer " + strings.ReplaceAll(line, "|", "\n") + "\n" + fill(dir, base)
		path := writeFile(t, dir, "squid.conf", text)
		ours, weTake := parsedPeers(t, exaproxy(), path)
		theirs, theyTake := parsedPeers(t, squid, path)
		if weTake != theyTake || !slices.Equal(ours, theirs) {
			t.Errorf("%q: ours is taken %v, Squid's %v\n  ours    %q\n  Squid's %q", line, weTake, theyTake, ours, theirs)
		}
	}
}
