package reportonly

import (
	"log/slog"
	"time"

	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// NoteKey is what the note of a request is called that says who would have refused it.
const NoteKey = "report_only"

// tellEvery is how often cache.log is told: the access log has every request.
const tellEvery = time.Minute

// A Policy notes what would have become of one worker's requests. It belongs to the worker's goroutine.
type Policy struct {
	Log *slog.Logger
	Now func() time.Time

	told loop.Limiter
}

// Spare notes that a request goes on that would have got a verdict: "http_access:ACL", "helper:302:URL". Of who is asked
// about it again, since more is known of it, the same is noted once.
func (p *Policy) Spare(r *engine.Request, verdict string) {
	for _, n := range r.Notes {
		if string(n.Key) == NoteKey && string(n.Value) == verdict {
			return
		}
	}
	r.AddNote([]byte(NoteKey), []byte(verdict))
	more, ok := p.told.Allow(p.Now(), tellEvery)
	if !ok {
		return
	}
	const most = 256 // of a URL
	url := r.Target.AppendURL(nil)
	p.Log.Warn("report_only: a request passes that would have got a verdict"+loop.SinceLast(more), "verdict", verdict[:min(len(verdict), most)], "url", string(url[:min(len(url), most)]))
}
