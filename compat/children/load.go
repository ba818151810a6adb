package children

import (
	"fmt"
	"log/slog"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// A Load watches the queue before one worker's helpers of a program, warns the administrator when it is
// long (queue-size), and says when new questions had better not join it (on-persistent-overload). Unlike Squid's it
// never ends the program. It belongs to the worker's goroutine.
type Load struct {
	Name     string // of the processes in messages, as in Squid: "redirector"
	Settings *Settings
	Pool     Queue
	Log      *slog.Logger
	Now      func() time.Time

	Worker, Workers int // counted from 0; how many there are

	since    time.Time    // when the queue was last not too long
	warnings loop.Limiter // of those to the administrator
	dropped  loop.Limiter // that questions are not asked
	logged   bool         // that this overload is persistent
}

// A Queue is what is looked at of the helpers' pool: *helper.Pool.
type Queue interface {
	Queue() int
	Busy() bool
	Serving() (ready, most int)
}

const (
	warnEvery = 10 * time.Minute // Squid says it as seldom

	// TellDropped is how often it is said that questions are not asked.
	TellDropped = time.Minute
	// PersistentTime is after how long an overload is Squid's "persistent" one.
	PersistentTime = 3 * time.Minute
)

// NewLoad makes that of a pool of the worker's.
func NewLoad(name string, s *Settings, pool Queue, w engine.Services) *Load {
	return &Load{Name: name, Settings: s, Pool: pool, Log: w.Log, Now: w.Loop.Now, Worker: w.Worker, Workers: max(w.Workers, 1)}
}

// Limit is this worker's share of queue-size.
func (l *Load) Limit() int { return (l.Settings.QueueSize + l.Workers - 1) / l.Workers }

// Full says whether all helpers are busy, and as many questions wait for them as queue-size says.
func (l *Load) Full() bool {
	busy := l.Pool.Busy()
	if busy && l.Pool.Queue() >= l.Limit() {
		if l.since.IsZero() {
			l.since = l.Now()
		}
		return true
	}
	l.since = l.Now()
	l.logged = l.logged && busy
	return false
}

// Warn says, now and then, that questions wait.
func (l *Load) Warn() {
	if _, ok := l.warnings.Allow(l.Now(), warnEvery); !ok {
		return
	}
	serving, most := l.Pool.Serving()
	if serving > 0 {
		l.Log.Warn(fmt.Sprintf("All %d/%d %s processes are busy.", serving, most, l.Name) + l.Of())
	} else {
		l.Log.Warn(fmt.Sprintf("0/%d %s processes are running.", most, l.Name) + l.Of())
	}
	l.Log.Warn(fmt.Sprintf("%d pending requests queued", l.Pool.Queue()))
	if serving > 0 {
		l.Log.Warn(fmt.Sprintf("Consider increasing the number of %s processes in your config file.", l.Name))
	}
}

// Drops warns of a full queue, and says whether that has been so for so long that a new question is not asked,
// which has the fate that on-persistent-overload=ERR means.
func (l *Load) Drops(fate string) bool {
	l.Warn()
	if l.Now().Sub(l.since) < PersistentTime {
		return false
	}
	if l.Settings.Overload == OverloadBypass {
		if more, ok := l.dropped.Allow(l.Now(), TellDropped); ok {
			l.Log.Warn(fmt.Sprintf("dropping requests to overloaded %s helper configured with on-persistent-overload=err: %s", l.Name, fate) +
				l.Of() + loop.SinceLast(more))
		}
		return true
	}
	if !l.logged {
		l.logged = true
		l.Log.Error(fmt.Sprintf("Too many queued %s requests; see on-persistent-overload. They go on waiting", l.Name))
	}
	return false
}

// Of is whose processes a message counts, if there are others'.
func (l *Load) Of() string {
	if l.Workers == 1 {
		return ""
	}
	return fmt.Sprintf(" (worker %d of %d)", l.Worker+1, l.Workers)
}
