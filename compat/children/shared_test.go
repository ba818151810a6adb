package children

import (
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
	"exaproxy/helper"
)

// asker counts what it is told.
type asker struct{ answered, abandoned, told int }

func (a *asker) Answered([]byte, error)          { a.answered++ }
func (a *asker) Abandoned()                      { a.abandoned++ }
func (a *asker) Tell(*engine.Request) acl.Answer { a.told++; return acl.Allow }

// TestTheLastWhoLeaves has a question that no helper has end with the last who waits for it, and no earlier.
func TestTheLastWhoLeaves(t *testing.T) {
	services := compattest.Services(t)
	compattest.AddHelpers(&services, helper.Config{Children: 1})
	a := &asker{}
	s := Ask(a, services.Loop, services.Helpers, []byte("question"))
	first, second := s.Join(&engine.Request{}, nil), s.Join(&engine.Request{}, nil)
	first.Cancel()
	first.Cancel()
	if a.abandoned != 0 || services.Helpers.Queue() != 1 {
		t.Errorf("one waits still, and it is abandoned %d times, with %d in the queue", a.abandoned, services.Helpers.Queue())
	}
	second.Cancel()
	if a.abandoned != 1 || services.Helpers.Queue() != 0 {
		t.Errorf("nobody waits, and it is abandoned %d times, with %d in the queue", a.abandoned, services.Helpers.Queue())
	}
}

// TestWhoWaitsWhenAllIsClosed may leave afterwards.
func TestWhoWaitsWhenAllIsClosed(t *testing.T) {
	services := compattest.Services(t)
	compattest.AddHelpers(&services, helper.Config{Children: 1})
	a := &asker{}
	s := Ask(a, services.Loop, services.Helpers, []byte("question"))
	w := s.Join(&engine.Request{}, nil)
	s.Close()
	s.Close()
	w.Cancel()
	if a.answered+a.abandoned+a.told != 0 || w.Outcome() != acl.Pending {
		t.Errorf("%+v, %v", a, w.Outcome())
	}
}
