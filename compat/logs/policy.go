package logs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"exaproxy/compat/acl"
	"exaproxy/engine"
	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

// OpenedLogs are the access_log lines of a configuration with their files open, and that of tls_key_log.
type OpenedLogs struct {
	files *Files
	logs  []accessLog
	keys  *File // nil: there is none

	hidden uint32 // client_netmask
}

// An accessLog is an access_log line with its file open. Without a file it is "none": what its acls
// match goes to no log after it.
type accessLog struct {
	line *AccessLog
	file *File
}

// Open opens the access logs, and tls_key_log. How files that were open before are rotated and written changes
// with Commit only.
func (s *Settings) Open(files *Files) (*OpenedLogs, error) {
	a := &OpenedLogs{files: files, hidden: s.Hidden}
	for i := range s.AccessLogs {
		log := accessLog{line: &s.AccessLogs[i]}
		if !log.line.None() {
			var err error
			if log.file, err = a.open(log.line, s.Buffered); err != nil {
				return nil, err
			}
		}
		a.logs = append(a.logs, log)
	}
	if s.KeyLog != nil {
		var err error
		if a.keys, err = a.open(s.KeyLog, s.Buffered); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// open opens one of the files. If it cannot be opened, all are given up.
func (a *OpenedLogs) open(log *AccessLog, buffered bool) (*File, error) {
	file, err := a.files.openPlace(log, buffered)
	if err != nil {
		a.Close()
		at := ""
		if log.Line != "" {
			at = log.Line + ": "
		}
		if log.Module != ToFile {
			return nil, fmt.Errorf("%s%w", at, err)
		}
		return nil, fmt.Errorf("%scannot open '%s' for writing. %s: %w", at, log.Path, remedy(log.Path, a.files.ownerName(), err), err)
	}
	return file, nil
}

// remedy is what has to be done so that a log can be opened, which stands in Squid's words where those are true.
func remedy(path, user string, err error) string {
	_, missing := os.Stat(path)
	folder := filepath.Dir(path)
	_, noFolder := os.Stat(folder)
	switch {
	case errors.Is(noFolder, fs.ErrNotExist):
		return fmt.Sprintf("There is no folder %s: make it, writeable by the user %s", folder, user)
	case errors.Is(err, syscall.EISDIR):
		return "It is a folder: name a file in it"
	case errors.Is(err, fs.ErrPermission) && missing == nil:
		return "The file is there, and must be writeable by the user " + user
	case errors.Is(err, fs.ErrPermission):
		return "The parent directory must be writeable by the user " + user
	}
	return "The file, its folder or its disk has to be mended, or another named"
}

// KeyLog is where secrets of TLS are written (tls_key_log); nil if they are not.
func (a *OpenedLogs) KeyLog() io.Writer {
	if a.keys == nil {
		return nil
	}
	return a.keys
}

// Commit has the files rotated and written as the configuration says.
func (a *OpenedLogs) Commit(s *Settings) {
	for _, log := range a.logs {
		if log.file != nil {
			a.files.configure(log.file, log.line.Rotate, s.Buffered)
			a.files.limit(log.file, log.line)
		}
	}
	if a.keys != nil {
		a.files.configure(a.keys, s.KeyLog.Rotate, s.Buffered)
	}
}

// Close gives the files up. Policies that are made already keep theirs until they are closed.
func (a *OpenedLogs) Close() {
	for _, log := range a.logs {
		a.files.Release(log.file)
	}
	a.files.Release(a.keys)
	a.logs, a.keys = nil, nil
}

// A Policy logs one worker's transactions. It belongs to the worker's goroutine.
type Policy struct {
	opened OpenedLogs
	loop   *loop.Loop
	match  acl.Match
	hidden uint32 // client_netmask
	line   []byte
}

// NewPolicy makes the policy of one worker, which holds the files until its Close. match asks an
// access list about a request.
func (a *OpenedLogs) NewPolicy(l *loop.Loop, match acl.Match) *Policy {
	for _, log := range a.logs {
		if log.file != nil {
			a.files.hold(log.file)
		}
	}
	if a.keys != nil {
		a.files.hold(a.keys)
	}
	return &Policy{opened: *a, loop: l, match: match, hidden: a.hidden}
}

// Close gives up the files.
func (p *Policy) Close() { p.opened.Close() }

// Tell hides what logs and helpers are not to be told of the client's address.
func (p *Policy) Tell(r *engine.Request) {
	if r.Hidden != p.hidden {
		r.Hidden = p.hidden
	}
}

// LogReady says whether every access log has room for a line.
func (p *Policy) LogReady(w *loop.Waker) bool {
	for _, log := range p.opened.logs {
		if log.file != nil && !log.file.Ready(p.loop, w) {
			return false
		}
	}
	return true
}

// Record writes the transaction's line to each access log that wants it.
func (p *Policy) Record(rec *engine.Record) {
	for _, log := range p.opened.logs {
		// What would have to be looked up by now does not match.
		if log.line.Access != nil && p.match(log.line.Access, rec.Request) != acl.Allow {
			continue
		}
		if log.file == nil {
			break
		}
		p.line = log.line.Format.Append(p.line, rec)
		p.line = append(p.line, '\n')
		log.file.Append(p.line)
		p.line = canary.Again(p.line, canary.AccessLine, 0)
	}
}
