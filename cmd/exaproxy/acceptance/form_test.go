package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// A form is one way to ask for what is blocked. What its parts are put together to is sent as it is.
type form struct {
	mark  string   // by which the request is known, should it reach an origin
	names []string // of its mutations

	method                 string
	before, between, after string // the request line's white space
	scheme                 string // with what follows it: http://
	user, host, port       string // with @ and :
	front, dir, rest       string // of the path: before the mark, twice, and after it
	version, end           string // end is that of each line but the empty one
	field                  string // the Host field's value
	more                   string // further fields, or fields in the place of Host
}

// A kind is what is blocked, and how it is asked for.
type kind int

const (
	blockedHost   kind = iota // any URL of a host
	blockedTunnel             // CONNECT to that host
	blockedPath               // the URLs of a folder
	kinds
)

// plain is a form without a mutation.
func plain(n int, k kind) form {
	f := form{
		mark: fmt.Sprintf("form-%d-", n), method: "GET", between: " ", after: " ", scheme: "http://", host: blockedName,
		front: "/", rest: "page", version: "HTTP/1.1", end: "\r\n", field: blockedName,
	}
	switch k {
	case blockedTunnel:
		f.method, f.scheme, f.port, f.front, f.rest = "CONNECT", "", ":443", "", ""
		f.field += f.port
	case blockedPath:
		f.host, f.field, f.dir = partlyBlockedName, partlyBlockedName, blockedDir
	}
	return f
}

func (f form) connects() bool { return f.method == "CONNECT" }

func (f form) bytes() string {
	target := f.scheme + f.user + f.host + f.port
	if !f.connects() {
		target += f.front + f.dir + f.mark
	}
	line := f.before + f.method + f.between + target + f.rest + f.after + f.version + f.end
	if f.version == "" { // HTTP/0.9 has no fields
		return line
	}
	fields := f.more
	if f.field != "" {
		fields = "Host: " + f.field + f.end + fields
	}
	return line + fields + "X-Mark: " + f.mark + f.end + "Connection: close" + f.end + "\r\n"
}

// A mutation changes one part of a form.
type mutation struct {
	name  string
	apply func(*form)
}

// set are mutations which give a part other values.
func set(name string, part func(*form) *string, values ...string) []mutation {
	var all []mutation
	for _, v := range values {
		all = append(all, mutation{fmt.Sprintf("%s %.40q", name, v), func(f *form) { *part(f) = v }})
	}
	return all
}

// change are mutations which make other values of a part's.
func change(name string, part func(*form) *string, values map[string]func(string) string) []mutation {
	var all []mutation
	for _, kind := range sortedKeys(values) {
		made := values[kind]
		all = append(all, mutation{name + " " + kind, func(f *form) { p := part(f); *p = made(*p) }})
	}
	return all
}

// around are mutations which put texts before, into and behind a part.
func around(name string, part func(*form) *string, texts ...string) []mutation {
	var all []mutation
	for _, x := range texts {
		all = append(all,
			mutation{fmt.Sprintf("%q before the %s", x, name), func(f *form) { p := part(f); *p = x + *p }},
			mutation{fmt.Sprintf("%q in the %s", x, name), func(f *form) { p := part(f); m := len(*p) / 2; *p = (*p)[:m] + x + (*p)[m:] }},
			mutation{fmt.Sprintf("%q behind the %s", x, name), func(f *form) { p := part(f); *p += x }})
	}
	return all
}

// mutated are n forms, for a seed the same ones each time, of the first kinds: plain ones, then two thirds with a single mutation as
// long as there are any, and one third with two or three, each of another part.
func mutated(seed uint64, n int, of kind, address netip.Addr) []form {
	random := rand.New(rand.NewPCG(seed, 0))
	var all, singles []form
	parts := make([][][]mutation, of)
	for k := range of {
		all = append(all, plain(int(k), k))
		parts[k] = partsOf(k, address)
		singles = append(singles, alone(parts[k], k)...)
	}
	random.Shuffle(len(singles), func(i, j int) { singles[i], singles[j] = singles[j], singles[i] })
	for i := len(all); i < n; i++ {
		if i%3 == 0 || len(singles) == 0 {
			k := kind(random.IntN(int(of)))
			all = append(all, combined(random, plain(i, k), parts[k]))
			continue
		}
		f := singles[0]
		f.mark, singles = plain(i, 0).mark, singles[1:]
		all = append(all, f)
	}
	return all
}

// alone are the forms with a single mutation.
func alone(parts [][]mutation, k kind) []form {
	var all []form
	for _, part := range parts {
		for _, m := range part {
			all = append(all, with(plain(0, k), m))
		}
	}
	return all
}

func combined(random *rand.Rand, f form, parts [][]mutation) form {
	for _, i := range random.Perm(len(parts))[:2+random.IntN(2)] {
		f = with(f, parts[i][random.IntN(len(parts[i]))])
	}
	return f
}

func with(f form, m mutation) form {
	f.names = append(f.names[:len(f.names):len(f.names)], m.name)
	m.apply(&f)
	return f
}

// escaped escapes the bytes of a text that are chosen.
func escaped(text string, which func(byte) bool) string {
	var b strings.Builder
	for i := range len(text) {
		if which(text[i]) {
			fmt.Fprintf(&b, "%%%02x", text[i])
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}
