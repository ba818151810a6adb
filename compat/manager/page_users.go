package manager

import (
	"slices"
	"strings"
	"time"
)

// A User is one whom a worker remembers to have proved who he is.
type User struct {
	Type string        // AUTH_BASIC
	Left time.Duration // until his credentials are looked at again
	Name string
}

// knowsUsers says whether there is anybody who proves who users are.
func (p *Policy) knowsUsers() bool { return p.Users != nil }

func collectUsers(p *Policy) []User { return p.Users() }

// writeUsers lists the users, each once.
func writeUsers(r *report, parts [][]User) {
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b User) int { return strings.Compare(a.Type+" "+a.Name, b.Type+" "+b.Name) })
	all = slices.CompactFunc(all, func(a, b User) bool { return a.Type == b.Type && a.Name == b.Name })
	r.printf("Cached Usernames: %d\n%-15s %-9s %-9s %-9s %s\t%s\n", len(all), "Type", "State", "Check TTL", "Cache TTL", "Username", "Key")
	r.print("--------------- --------- --------- --------- ------------------------------\n")
	for _, u := range all {
		r.printf("%-15s %-9s %-9d %-9d %s\t%s\n", u.Type, "Ok", seconds(u.Left), seconds(u.Left), shown(u.Name), shown(u.Name))
	}
}
