package compat

import (
	"log/slog"

	"exaproxy/compat/children"
	"exaproxy/compat/external"
	"exaproxy/compat/logs"
	"exaproxy/compat/manager"
	"exaproxy/compat/peers"
	"exaproxy/engine"
	"exaproxy/engine/loop"
)

// A Setup is settings made ready for an engine: its configuration, with the log files that its
// policies write open. It belongs to the goroutine that made it.
type Setup struct {
	Config engine.Config

	settings *Settings
	opened   *logs.OpenedLogs
}

// Commit has the log files follow the settings, once the engine does. It cannot fail.
func (s *Setup) Commit() { s.opened.Commit(&s.settings.Logs) }

// Close gives up the log files. Policies that are made already keep theirs until they are
// closed.
func (s *Setup) Close() { s.opened.Close() }

// Engine makes the settings ready for an engine. It opens the access logs, and changes nothing
// that is in use. Messages of the engine, its policies and its helpers go to log.
func (s *Settings) Engine(log *logs.CacheLog, files *logs.Files) (*Setup, error) {
	opened, err := s.Logs.Open(files)
	if err != nil {
		return nil, err
	}
	setup := &Setup{Config: s.config(log), settings: s, opened: opened}
	setup.Config.KeyLog = opened.KeyLog()
	shared := s.newShared()
	setup.Config.NewPolicy = func(services engine.Services) (engine.Policy, error) {
		return newPolicy(s, services, opened, shared), nil
	}
	return setup, nil
}

// shared is what the policies of all workers use at once.
type shared struct {
	external external.Exchange
	peers    *peers.Shared
	managers manager.Workers
	alerts   loop.SharedLimiter // of forged names
}

func (s *Settings) newShared() *shared { return &shared{peers: peers.NewShared(&s.Peers)} }

// config is all that the engine wants to know but the policy.
func (s *Settings) config(log *logs.CacheLog) engine.Config {
	c := engine.Config{Workers: s.Program.Workers, Ports: s.Ports, Log: slog.New(log)}
	s.Connection.Configure(&c)
	s.Outgoing.Configure(&c)
	s.Names.Configure(&c, c.Log)
	s.Logs.Configure(&c)
	s.Headers.Configure(&c)
	s.Packets.Configure(&c)
	c.KeepReplyHeads = c.KeepReplyHeads || s.logsReplies()
	helpers := children.Process{
		Debug:     s.Logs.Verbosity.String(),
		PerWorker: s.Program.Workers > 0, // the file gave a number of workers, as in Squid
		Stderr:    log.Stderr(),
	}
	if s.Redirector.Enabled() || s.Auth.Enabled() || s.External.Enabled() {
		helpers.Dir = s.Program.HelperDir(log.Say)
	}
	s.Redirector.Configure(&c, helpers)
	helpers.Silence = s.Program.Silence
	s.Auth.Configure(&c, helpers)
	s.External.Configure(&c, helpers)
	return c
}
