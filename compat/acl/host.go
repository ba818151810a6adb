package acl

// domainTest is an acl of the type dstdomain or dstdom_regex.
type domainTest struct {
	names    hostSet
	noLookup bool // -n: addresses are not looked up
}

// hostSet is what a host is looked up in.
type hostSet interface {
	add(v *values) error
	finish(acl string) []string
	empty() bool
	has(host []byte, p *Place) bool
}

func newDomain() tester { return &domainTest{names: &domainNames{}} }

func newDomainPattern() tester { return &domainTest{names: &textPatterns{}} }

func (t *domainTest) add(v *values) error {
	t.noLookup = t.noLookup || v.flags["-n"]
	return t.names.add(v)
}

func (t *domainTest) finish(acl string) []string { return t.names.finish(acl) }

func (t *domainTest) empty() bool { return t.names.empty() }

func (t *domainTest) slow() bool { return !t.noLookup }

// match looks at the host as it stands in the URL, and then, if it is an address, at its name.
func (t *domainTest) match(p *Place) outcome {
	if t.names.has(p.host(), p) {
		return match
	}
	if t.noLookup || !p.hostAddr.IsValid() {
		return mismatch
	}
	name, done := p.name()
	if !done {
		return wait
	}
	p.text = append(p.text[:0], name...)
	return outcomeOf(t.names.has(p.text, p))
}

// domainNames are the values of dstdomain.
type domainNames struct{ domains }

func (n *domainNames) add(v *values) error {
	n.grow(len(v.items))
	for _, item := range v.items {
		if err := n.domains.add(item.Text); err != nil {
			return err
		}
	}
	return nil
}

func (n *domainNames) empty() bool { return n.count == 0 }

func (n *domainNames) has(host []byte, _ *Place) bool { return n.domains.match(host) }
