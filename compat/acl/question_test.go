package acl

import (
	"slices"
	"testing"

	"exaproxy/engine"
	"exaproxy/engine/canary/canarytest"
)

// An oracle answers questions when the test has it answer, with yes or no.
type oracle struct {
	put []*riddle
}

// A riddle is a question to an oracle.
type riddle struct {
	about     string
	answered  bool
	yes       bool
	cancelled int
}

func (r *riddle) settled() bool { return r.answered }

func (r *riddle) cancel() { r.cancelled++ }

func (o *oracle) ask(_ *Place, subject []byte) *riddle {
	r := &riddle{about: string(subject)}
	o.put = append(o.put, r)
	return r
}

// asked are the subjects that the oracle was asked about, in order.
func (o *oracle) asked() (subjects []string) {
	for _, r := range o.put {
		subjects = append(subjects, r.about)
	}
	return subjects
}

// oracleTest is an acl type as another file would have it: it asks about the target's host.
type oracleTest struct{ oracle *oracle }

func (t *oracleTest) add(*values) error      { return nil }
func (t *oracleTest) finish(string) []string { return nil }
func (t *oracleTest) empty() bool            { return false }
func (t *oracleTest) slow() bool             { return true }

func (t *oracleTest) match(p *Place) outcome {
	r, settled := ask(p, t.oracle, p.target.Host)
	if !settled {
		return wait
	}
	return outcomeOf(r.yes)
}

// oracleRules makes a list of one rule, with an acl for each oracle: all have to say yes.
func oracleRules(oracles ...*oracle) *List {
	set := NewSet()
	list := set.NewList("http_access", Deny)
	var terms []term
	for _, o := range oracles {
		terms = append(terms, term{acl: &namedTest{name: "o", test: &oracleTest{o}}})
	}
	list.rules = []rule{{action: Allow, terms: terms}}
	set.Finish()
	return list
}

func TestASlowACLOfAnotherType(t *testing.T) {
	o := &oracle{}
	list := oracleRules(o)
	if !list.Slow() {
		t.Error("a list with a slow acl is not slow")
	}
	var p Place
	r := asked(t, get)
	expect := func(sentence string, want Answer) {
		t.Helper()
		if got := list.Match(r, &r.Target, &p); got != want {
			t.Fatalf("%s: got %v, want %v", sentence, got, want)
		}
	}
	expect("the oracle is silent", Pending)
	expect("asking again does not help", Pending)
	o.put[0].answered, o.put[0].yes = true, true
	expect("the oracle says yes", Allow)
	o.put[0].yes = false
	expect("and would say no", Deny)
	if want := []string{"www.example.com"}; !slices.Equal(o.asked(), want) {
		t.Errorf("the oracle was asked about %q, want %q", o.asked(), want)
	}
}

func TestTheSameQuestionIsPutOnce(t *testing.T) {
	one, other := &oracle{}, &oracle{}
	list := oracleRules(one, one, other)
	var p Place
	match := func(r *engine.Request) Answer { return list.Match(r, &r.Target, &p) }
	first, second := asked(t, get), asked(t, "GET http://other.example/")

	match(first)
	match(second)
	for _, r := range one.put {
		r.answered, r.yes = true, true
	}
	if got := match(first); got != Pending {
		t.Errorf("with one oracle of two the answer is %v", got)
	}
	if want := []string{"www.example.com", "other.example"}; !slices.Equal(one.asked(), want) {
		t.Errorf("two acls and two targets asked about %q, want %q", one.asked(), want)
	}
	if want := []string{"www.example.com"}; !slices.Equal(other.asked(), want) {
		t.Errorf("another source was asked about %q, want %q", other.asked(), want)
	}
}

func TestReleaseCancelsEveryQuestion(t *testing.T) {
	one, other := &oracle{}, &oracle{}
	list := oracleRules(one)
	var p Place
	for _, o := range []*oracle{one, other} {
		ask(&p, o, []byte("a subject"))
	}
	p.Release()
	p.Release()
	for _, o := range []*oracle{one, other} {
		if n := o.put[0].cancelled; n != 1 {
			t.Errorf("a question was cancelled %d times, want once", n)
		}
	}
	r := asked(t, "GET http://a/")
	list.Match(r, &r.Target, &p)
	if want := []string{"a subject", "a"}; !slices.Equal(one.asked(), want) {
		t.Errorf("for the next request the oracle was asked about %q in all, want %q", one.asked(), want)
	}
}

// settledOracle answers at once, and makes no question of its own.
type settledOracle struct{ answer riddle }

func (o *settledOracle) ask(*Place, []byte) *riddle { return &o.answer }

func TestAskingReusesMemory(t *testing.T) {
	canarytest.SkipReuse(t)
	o := &settledOracle{riddle{answered: true}}
	var p Place
	subjects := [][]byte{[]byte("one"), []byte("two"), []byte("one")}
	round := func() {
		for _, s := range subjects {
			if _, settled := ask(&p, o, s); !settled {
				t.Fatal("the oracle did not answer")
			}
		}
		p.Release()
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("questions to a source that allocates nothing allocate %v times", n)
	}
}
