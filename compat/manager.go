package compat

import (
	"strings"
	"time"

	"exaproxy/compat/manager"
	"exaproxy/compat/peers"
	"exaproxy/engine"
)

// setManager makes the one that answers for the cache manager. It tells of the other features, which are there.
func (p *policy) setManager(s *Settings, services engine.Services, workers *manager.Workers) {
	c := manager.Config{
		Settings: &s.Manager, Services: services, Workers: workers, Pages: p.pages, Ports: s.Ports, Whitespace: s.Connection.Limits.Whitespace,
		Version: s.Version, Results: s.Logs.Results,
		Remembered: p.external.Remembered, Clients: !s.Connection.NoClientDB, Peers: p.shownPeers, Helpers: s.authenticators(),
	}
	if p.auth != nil {
		c.Users = p.shownUsers
	}
	p.manager = manager.NewPolicy(c)
}

// authenticators are the pools of helpers that prove who users are.
func (s *Settings) authenticators() (all []string) {
	s.Auth.EachPool(func(name string) { all = append(all, name) })
	return all
}

func (p *policy) shownPeers() (all []manager.Peer) {
	p.peers.Each(func(s peers.Shown) {
		all = append(all, manager.Peer{Kind: s.Kind, Name: s.Name, Host: s.Host, Port: s.Port, Options: s.Options, Up: s.Up, Fetches: s.Fetches, Kept: s.Kept,
			Open: s.Open, Failed: s.Failed})
	})
	return all
}

func (p *policy) shownUsers() (all []manager.User) {
	p.auth.EachKnown(func(scheme, user string, left time.Duration) {
		all = append(all, manager.User{Type: "AUTH_" + strings.ToUpper(scheme), Name: user, Left: left})
	})
	return all
}
