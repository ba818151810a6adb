package acceptance

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stormTime is how long each scene of TestStorm takes: go test ./cmd/exaproxy/acceptance -run TestStorm -v -storm 1m
// Without it a scene ends when enough was done, and neither times nor memory are judged.
var stormTime = flag.Duration("storm", 0, "how long each scene of the storm takes; 0: until enough was done")

const (
	goodClients = 20
	leastRounds = 2 // of all its questions, by each good client, if the storm is short
	leastDeeds  = 2 // of each kind of bad peer
	progress    = 10 * time.Second

	mostWait = 2 * time.Second // what 99 of 100 requests of good clients stay below
	// nearMemory is how much more may be resident a minute after the storm than in the quiet before it.
	// A heap that was large is fragmented, and stacks and the tables of the runtime do not shrink.
	nearMemory = 6 << 20
	// mostGenerations is how many times the children there may be: reloads and rotations start new ones while old
	// ones finish.
	mostGenerations = 5
	backWithin      = time.Minute // memory, descriptors and children are what they were, after the storm
)

// A scene is a proxy in its configuration, and who comes to it. All come at once.
type scene struct {
	name    string
	conf    string // after base and openPort; see storm.fill for its places
	access  string // before http_access allow all
	start   program
	asks    []question
	peers   []badPeer
	prepare func(*storm) // before the proxy starts; may be nil
	relief  func(*storm) // when the storm is over; may be nil
	says    string       // what the proxy says if the scene is what it is meant to be
}

// A badPeer is one kind of peers that mean harm or are broken: clients, origins, helpers and those who control.
type badPeer struct {
	name  string
	n     int           // how many there are
	pause time.Duration // of each, between two deeds
	deed  func(s *storm, number int)
}

// times is the same kind in another number.
func (p badPeer) times(n int) badPeer {
	p.n = n
	return p
}

// A storm is a scene that is played.
type storm struct {
	scene
	t      *testing.T
	x      *proxy
	dir    string
	people stormPeople
	pipe   *os.File // that is a log

	over  context.Context // the deeds end
	end   func()
	deeds []atomic.Int64 // of each kind of bad peer
	after sync.WaitGroup // what deeds have left behind
	good  tally
	level *levels
}

// TestStorm lets every kind of bad peer loose on the built program, beside 20 good clients, none of whom may
// lose a request or get past the filter. Afterwards the proxy is what it was before.
func TestStorm(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%s\n", tableHead)
	for _, c := range scenes(t) {
		t.Run(c.name, func(t *testing.T) {
			s := newStorm(t, c)
			s.rage()
			s.judge()
			fmt.Fprintln(&table, s.row())
			s.judgeStacks()
		})
	}
	t.Logf("\n%s", table.String())
}

func newStorm(t *testing.T, c scene) *storm {
	s := &storm{scene: c, t: t, dir: world(t), deeds: make([]atomic.Int64, len(c.peers))}
	s.over, s.end = context.WithCancel(t.Context())
	t.Cleanup(s.end)
	s.people = newStormPeople(s)
	if c.prepare != nil {
		c.prepare(s)
	}
	p := c.start
	if p.path == "" {
		p = exaproxy()
	}
	const all = "http_access allow all\n"
	s.x = start(t, p, s.dir, strings.Replace(base, all, c.access+all, 1)+openPort+s.fill(s.conf))
	s.warm()
	s.level = watchLevels(s.x.pid())
	return s
}

// warm has the good clients ask all their questions once, and waits until it is quiet: what is measured then is
// what is compared with.
func (s *storm) warm() {
	var all sync.WaitGroup
	for n := range goodClients {
		all.Go(func() { newGoodClient(s, n).rounds(1) })
	}
	all.Wait()
	s.quieten()
	s.good.reset()
}

// quieten waits until nobody is connected to the proxy and it is connected to nobody.
func (s *storm) quieten() {
	s.people.hangUp()
	s.x.eventually("is left alone", backWithin, func() bool { return tcpConnections(s.x.pid()) == 0 })
}

// rage is the storm: it ends after stormTime, or when everybody has done enough.
func (s *storm) rage() {
	var clients, peers sync.WaitGroup
	for n := range goodClients {
		clients.Go(func() { newGoodClient(s, n).rounds(math.MaxInt32) })
	}
	// those who come first have a connection before the others take them all
	s.x.eventually("serves all good clients", backWithin, func() bool { return s.good.least() > 0 })
	for i, p := range s.peers {
		for n := range p.n {
			peers.Go(func() { s.misbehave(i, n) })
		}
	}
	s.await()
	s.end()
	peers.Wait()
	s.after.Wait()
	clients.Wait()
	if s.relief != nil {
		s.relief(s)
	}
	s.level.end()
}

// misbehave does the deeds of one bad peer.
func (s *storm) misbehave(kind, n int) {
	p := s.peers[kind]
	pause := time.NewTimer(p.pause * time.Duration(n) / time.Duration(p.n)) // they do not act in step
	defer pause.Stop()
	for {
		select {
		case <-s.over.Done():
			return
		case <-pause.C:
		}
		p.deed(s, int(s.deeds[kind].Load())*p.n+n)
		s.deeds[kind].Add(1)
		pause.Reset(p.pause)
	}
}

// meanwhile has something go on beside the next deeds.
func (s *storm) meanwhile(do func()) { s.after.Go(do) }

// await waits for the end of the storm, and tells how it goes.
func (s *storm) await() {
	began := time.Now()
	tell := time.NewTicker(progress)
	defer tell.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-s.x.ended:
			s.t.Fatalf("the proxy has ended: %v", s.x.err)
		case <-tell.C:
			s.t.Log(s.report(time.Since(began)))
		case <-look.C:
			if s.enough(time.Since(began)) {
				return
			}
		}
	}
}

func (s *storm) enough(since time.Duration) bool {
	if *stormTime > 0 {
		return since >= *stormTime
	}
	for i := range s.deeds {
		if s.deeds[i].Load() < leastDeeds {
			return false
		}
	}
	return s.good.least() >= leastRounds*len(s.asks)
}

// fill replaces the places in a configuration that fill does not know.
func (s *storm) fill(conf string) string {
	return strings.NewReplacer("{storm}", built.helper+" wayward -dir "+s.dir+" -page "+s.people.page.URL+"/blocked",
		"{nameserver}", s.people.names).Replace(conf)
}
