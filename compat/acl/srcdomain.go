package acl

// clientDomain is an acl of the type srcdomain or srcdom_regex: of the name of the client's address.
type clientDomain struct{ names hostSet }

func newClientDomain() tester { return &clientDomain{&domainNames{}} }

func newClientPattern() tester { return &clientDomain{&textPatterns{}} }

func (t *clientDomain) add(v *values) error { return t.names.add(v) }

func (t *clientDomain) finish(acl string) []string { return t.names.finish(acl) }

func (t *clientDomain) empty() bool { return t.names.empty() }

func (t *clientDomain) slow() bool { return true }

func (t *clientDomain) match(p *Place) outcome {
	var subject [64]byte // who the client is may become known only while lists are asked (follow_x_forwarded_for)
	name, done := p.lookedUp(clientLookup{}, p.request.Client.Addr().AppendTo(subject[:0]))
	if !done {
		return wait
	}
	p.text = append(p.text[:0], name...)
	return outcomeOf(t.names.has(p.text, p))
}

// clientLookup looks up the name of the client's address.
type clientLookup struct{}

func (clientLookup) ask(p *Place, _ []byte) lookup {
	return lookup{p.Resolver.Reverse(p.request.Client.Addr(), p.Waker)}
}
