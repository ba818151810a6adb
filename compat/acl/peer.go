package acl

import (
	"fmt"
	"slices"
)

// newPeerName makes an acl of the type peername: what the configuration calls the next hop. Before that is chosen, and
// where it is a server, there is none.
func newPeerName() tester {
	return &wordTest{of: func(p *Place) string { return p.request.Peer }}
}

// peerPatterns is an acl of the type peername_regex.
type peerPatterns struct{ textPatterns }

func newPeerPattern() tester { return &peerPatterns{} }

func (t *peerPatterns) slow() bool { return false }

func (t *peerPatterns) match(p *Place) outcome {
	p.text = append(p.text[:0], p.request.Peer...)
	return outcomeOf(len(p.text) > 0 && t.has(p.text, p))
}

// hierarchies are how Squid 5.7 chooses next hops, in its words.
var hierarchies = [...]string{
	noHierarchy, "HIER_DIRECT", "SIBLING_HIT", "PARENT_HIT", "DEFAULT_PARENT", "SINGLE_PARENT", "FIRSTUP_PARENT", "FIRST_PARENT_MISS",
	"CLOSEST_PARENT_MISS", "CLOSEST_PARENT", "CLOSEST_DIRECT", "NO_DIRECT_FAIL", "SOURCE_FASTEST", "ROUNDROBIN_PARENT",
	"CD_PARENT_HIT", "CD_SIBLING_HIT", "CARP", "ANY_OLD_PARENT", "USERHASH_PARENT", "SOURCEHASH_PARENT", "PINNED",
	"ORIGINAL_DST", "STANDBY_POOL",
}

const noHierarchy = "HIER_NONE"

// hierarchyTest is an acl of the type hier_code.
type hierarchyTest struct{ wordTest }

func newHierarchy() tester {
	return &hierarchyTest{wordTest{of: func(p *Place) string {
		if p.request.Hierarchy == "" {
			return noHierarchy
		}
		return p.request.Hierarchy
	}}}
}

func (t *hierarchyTest) add(v *values) error {
	for _, item := range v.items {
		if !slices.Contains(hierarchies[:], item.Text) {
			return fmt.Errorf("FATAL: ERROR: No such hier_code '%s'", item.Text)
		}
	}
	return t.wordTest.add(v)
}
