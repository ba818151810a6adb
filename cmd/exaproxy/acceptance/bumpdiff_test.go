package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestSslBumpIsSquids has clients of all kinds speak through both proxies, with sites of all kinds, under all lists
// of rules of ssl_bump: what clients see, what reaches sites, what helpers are asked and what is logged is the
// same, but for the differences that are intended.
func TestSslBumpIsSquids(t *testing.T) {
	var found differencesFound
	t.Run("groups", func(t *testing.T) { // at the same time, most of which is waiting
		for _, g := range bumpGroups() {
			t.Run(g.name, func(t *testing.T) {
				t.Parallel()
				g.compare(t, &found)
			})
		}
	})
	if !t.Failed() {
		found.check(t)
	}
}

// compare has the conversations of a group with both proxies at the same time.
func (g bumpGroup) compare(t *testing.T, found *differencesFound) {
	squid, own := squidThatBumps(t)
	ours, theirs := newBumpWorld(t, exaproxy(), "", g), newBumpWorld(t, squid, own, g)
	holdAll(ours, theirs)
	ours.x.quiet, theirs.x.quiet = true, true // the differences say it all
	our, their := ours.outcomes(), theirs.outcomes()
	for i, c := range g.cases {
		judgeBump(t, c, found.intend(c, their[i], our[i]), our[i])
	}
	found.mu.Lock()
	defer found.mu.Unlock()
	found.groups++
}

// An outcome is what came of a case, for each who saw something of it.
type outcome struct {
	client, site, helper, log string
}

// of is what one of them saw.
func (o *outcome) of(who string) *string {
	return map[string]*string{"client": &o.client, "site": &o.site, "helper": &o.helper, "log": &o.log}[who]
}

// judgeBump tells what is not as it should be.
func judgeBump(t *testing.T, c bumpCase, want, got outcome) {
	t.Helper()
	for _, who := range []string{"client", "site", "helper", "log"} {
		if w, g := *want.of(who), *got.of(who); w != g {
			t.Errorf("%s: the %s's differs\n  want %s\n  got  %s", c, who, indent(w), indent(g))
		}
	}
}

func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n       ") }

// differencesFound are those of bumpDifferences that there were.
type differencesFound struct {
	mu     sync.Mutex
	groups int // that were compared
	seen   map[*bumpChange]bool
}

// intend is what Squid does, changed as is intended where ours is another.
func (f *differencesFound) intend(c bumpCase, their, our outcome) outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = map[*bumpChange]bool{}
	}
	for _, d := range bumpDifferences {
		if !d.cases.MatchString(c.String()) {
			continue
		}
		for i := range d.in {
			change := &d.in[i]
			want := their.of(change.who)
			if *want == *our.of(change.who) || !change.their.MatchString(*want) {
				continue
			}
			*want = change.their.ReplaceAllString(*want, change.our)
			f.seen[change] = true
		}
	}
	return their
}

// check finds what is intended and no difference any more, if all groups were compared.
func (f *differencesFound) check(t *testing.T) {
	if f.groups < len(bumpGroups()) {
		return
	}
	for _, d := range bumpDifferences {
		for i, change := range d.in {
			if !f.seen[&d.in[i]] {
				t.Errorf("%s: but the %s's %s is seen nowhere", d.why, change.who, change.their)
			}
		}
	}
}

// squidThatBumps is Squid, and what it needs in order to make certificates.
func squidThatBumps(t *testing.T) (p program, conf string) {
	t.Helper()
	p = squid(t)
	const maker = "/usr/lib/squid/security_file_certgen"
	made := filepath.Join(world(t), "certificates")
	if out, err := exec.Command(maker, "-c", "-s", made, "-M", "4MB").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", maker, err, out)
	}
	err := filepath.WalkDir(made, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o777) // Squid becomes another user
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, "sslcrtd_program " + maker + " -s " + made + " -M 4MB\nsslcrtd_children 5 startup=3\nshutdown_lifetime 1 second\n"
}
