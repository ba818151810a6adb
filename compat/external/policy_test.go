package external

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/engine/loop"
	"exaproxy/helper"
)

// newWorker makes the policy of a worker whose helpers say nothing, and its loop.
func newWorker(t testing.TB, x *Exchange, conf string) (*Policy, *loop.Loop) {
	t.Helper()
	s := Settings{}
	acls := acl.NewSet()
	acls.External = s.Find
	compattest.MustRead(t, acls, s.Directives(), conf+"\n")
	services := compattest.Services(t)
	compattest.AddHelpers(&services, helper.Config{Children: 1})
	services.Pools = map[string]*helper.Pool{PoolName("e"): services.Helpers}
	p := NewPolicy(&s, services, x)
	t.Cleanup(p.Close)
	return p, services.Loop
}

const aType = "external_acl_type e ttl=3600 queue-size=1000000 %SRC %DATA /bin/cat"

// about asks about a value, as a request does that waits.
func about(p *Policy, value string) acl.Answer {
	a := &acl.ExternalACL{Type: "e", Name: "x", Data: []string{value}}
	r := &engine.Request{}
	answer, _ := p.Decide(a, p.Question(a, r), r, p.loop.NewWaker(nothing{}))
	return answer
}

type nothing struct{}

func (nothing) Run() {}

// says has the helper answer all questions of a worker.
func says(p *Policy, answer string) {
	for _, q := range p.asked["e"].questions {
		q.Answered([]byte(answer), nil)
		q.shared.Close()
	}
}

// TestWorkersTellEachOther has one worker know what the other's helper has said, and what counts no longer be asked.
func TestWorkersTellEachOther(t *testing.T) {
	x := &Exchange{}
	p, _ := newWorker(t, x, aType)
	other, theirs := newWorker(t, x, aType)
	stranger, strange := newWorker(t, &Exchange{}, aType)
	if got := about(p, "a"); got != acl.Pending {
		t.Fatalf("it is %v", got)
	}
	says(p, "OK user=joe")
	theirs.Turn(false)
	strange.Turn(false)
	for name, row := range map[string]struct {
		p    *Policy
		want acl.Answer
	}{"the one that asked": {p, acl.Allow}, "the other": {other, acl.Allow}, "one of another configuration": {stranger, acl.Pending}} {
		if got := about(row.p, "a"); got != row.want {
			t.Errorf("%s says %v, want %v", name, got, row.want)
		}
	}
	about(p, "b")
	says(p, "BH")
	theirs.Turn(false)
	if got := about(other, "b"); got != acl.Pending {
		t.Errorf("what a helper could not tell is told the other, which says %v", got)
	}
	other.Close()
	about(p, "c")
	says(p, "OK")
	theirs.Turn(false)
	if n := other.asked["e"].known.Len(); n != 1 || len(x.all()) != 1 {
		t.Errorf("a policy that is closed remembers %d answers, of %d members", n, len(x.all()))
	}
}

// TestWhatCannotBeToldReplacesWhatWas: an answer that is over is not told for want of another one.
func TestWhatCannotBeToldReplacesWhatWas(t *testing.T) {
	p, l := newWorker(t, &Exchange{}, aType)
	about(p, "a")
	says(p, "OK")
	e := p.asked["e"]
	k := e.key([]byte(p.line))
	s, ok := e.known.Get(k)
	if !ok {
		t.Fatal("the answer is not remembered")
	}
	s.until = l.Now()
	if got := about(p, "a"); got != acl.Pending {
		t.Fatalf("an answer that is over: it is %v", got)
	}
	says(p, "BH")
	if _, ok := e.known.Get(k); ok {
		t.Error("it is remembered still")
	}
}

// TestWhatIsRememberedIsBounded by cache=.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	p, _ := newWorker(t, &Exchange{}, "external_acl_type e cache=1000 queue-size=1000000 %SRC %DATA /bin/cat")
	for i := range 5000 {
		about(p, fmt.Sprint("user", i))
		says(p, "OK")
	}
	if n := p.asked["e"].known.Len(); n != 1000 {
		t.Errorf("%d answers are remembered", n)
	}
	if got := about(p, "user4999"); got != acl.Allow {
		t.Errorf("the last is %v", got)
	}
}

// TestNothingIsRemembered with cache=0, nor shared by those who ask at the same time.
func TestNothingIsRemembered(t *testing.T) {
	p, _ := newWorker(t, &Exchange{}, "external_acl_type e cache=0 queue-size=9 %SRC %DATA /bin/cat")
	about(p, "a")
	about(p, "a")
	if n := len(p.asked["e"].questions); n != 2 {
		t.Errorf("%d questions are put", n)
	}
	says(p, "OK")
	if got := about(p, "a"); got != acl.Pending {
		t.Errorf("it is %v", got)
	}
}

// BenchmarkKnown is what a request costs whose answer is remembered, among those of 100,000 users.
func BenchmarkKnown(b *testing.B) {
	const users = 100000
	p, l := newWorker(b, &Exchange{}, aType)
	before := heap()
	lines := make([][]byte, users)
	for i := range lines {
		a := &acl.ExternalACL{Type: "e", Name: "x", Data: []string{fmt.Sprint("user", i)}}
		lines[i] = append(lines[i], p.Question(a, &engine.Request{})...)
		t := p.asked["e"]
		t.known.Put(t.key(lines[i]), t.understand([]byte("OK user=somebody tag=students"), l.Now()))
	}
	perUser := float64(heap()-before) / users
	cpu := used(b)
	w := l.NewWaker(nothing{})
	a := &acl.ExternalACL{Type: "e", Name: "x"}
	r := &engine.Request{}
	for i := 0; b.Loop(); i++ {
		r.Notes = r.Notes[:0]
		if answer, _ := p.Decide(a, lines[i*7919%users], r, w); answer != acl.Allow {
			b.Fatalf("it is %v", answer)
		}
		if i%1000 == 0 {
			r = &engine.Request{}
		}
	}
	b.ReportMetric(float64(used(b)-cpu)/float64(b.N), "cpu-ns/op") // the machine may be busy
	b.ReportMetric(perUser, "bytes/user")
}

// used is the CPU that the process has had.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
