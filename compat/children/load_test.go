package children

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// queue is a Queue of so many that wait.
type queue struct{ waiting int }

func (q *queue) Queue() int                 { return q.waiting }
func (q *queue) Busy() bool                 { return q.waiting > 0 }
func (q *queue) Serving() (ready, most int) { return 2, 2 }

// TestLoad: only an overload that has lasted for three minutes without a pause has questions dropped, and only if
// on-persistent-overload=ERR says so.
func TestLoad(t *testing.T) {
	for _, overload := range []Overload{OverloadWait, OverloadBypass} {
		var log bytes.Buffer
		now, q := time.Unix(0, 0), &queue{}
		l := &Load{Name: "names", Settings: &Settings{QueueSize: 5, Overload: overload}, Pool: q,
			Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }, Worker: 1, Workers: 2}
		drops := func(waiting int) bool {
			q.waiting = waiting
			return l.Full() && l.Drops("they are gone")
		}
		if l.Limit() != 3 || drops(2) || l.Full() {
			t.Error("a worker's share of 5 is 3")
		}
		for round := range 2 { // after a pause all of it begins anew
			if drops(3) {
				t.Errorf("overload %d, round %d: dropped at once", overload, round)
			}
			now = now.Add(PersistentTime - time.Second)
			if drops(3) {
				t.Errorf("overload %d, round %d: dropped early", overload, round)
			}
			now = now.Add(time.Second)
			if drops(3) != (overload == OverloadBypass) {
				t.Errorf("overload %d, round %d: it is persistent", overload, round)
			}
			drops(0)
		}
		for _, want := range []string{"All 2/2 names processes are busy. (worker 2 of 2)", "3 pending requests queued"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log has\n%s\nnot %s", &log, want)
			}
		}
	}
}
