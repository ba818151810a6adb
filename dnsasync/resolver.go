package dnsasync

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"exaproxy/engine/loop"
)

// A Resolver finds the addresses of names and the names of addresses. It belongs to one
// loop and is used on that loop's goroutine only.
type Resolver struct {
	loop    *loop.Loop
	config  Config
	domain  []byte // append_domain in lower case
	log     *slog.Logger
	random  random
	servers []*server
	cache   *cache

	questions map[key]*question // that a Lookup may join
	asked     map[uint16]*query // that wait for a name server, by identifier
	count     uint64            // of the queries so far, to put them in order
	turn      int               // of the questions so far, if servers take turns
	madeRoom  time.Time         // last

	stats   Stats // all but what the method Stats adds
	closed  bool
	block   []doneLookup // allocated, and not used yet
	name    []byte       // the canonical form of the name at hand
	message []byte       // the query at hand
	input   []byte       // the datagram at hand
}

const (
	// maxAsked bounds the queries in flight: with half of the identifiers taken, it is still
	// easy to find a free one. Beyond that, questions leave that nobody waits for any more; then those
	// that have waited for longest, which are those of name servers that do not answer.
	maxAsked = 1 << 15
	// makeRoomEvery is how often all queries are looked at for ones that may leave.
	makeRoomEvery = 100 * time.Millisecond
	// retryAfter is how long a query waits for what we lack: an identifier, or a descriptor.
	retryAfter = makeRoomEvery
	// patient is how long a question is let wait at least while others want its place.
	patient = 2 * time.Second
)

// New returns a resolver that works on l. It opens no descriptor before it needs it.
func New(l *loop.Loop, c Config) *Resolver {
	r := &Resolver{
		loop: l, config: c, domain: []byte(strings.ToLower(c.AppendDomain)),
		log: c.Log, random: random{source: c.Random}, cache: newCache(c.cacheSize()),
		questions: map[key]*question{}, asked: map[uint16]*query{},
		name: make([]byte, 0, maxName), message: make([]byte, queryBuffer), input: make([]byte, max(udpBuffer, c.packetMax())),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.random.source == nil {
		r.random.source = rand.Reader
	}
	for i, at := range c.servers() {
		r.servers = append(r.servers, &server{resolver: r, index: i, addr: at})
	}
	return r
}

// Inherit has the resolver know what another on its loop has found out, if it would have asked the same servers for the
// same and kept it for as long; else it begins with nothing. From then on both have one cache. It knows how the servers answer, too. It is called once, before
// the resolver is used by others than its owner.
func (r *Resolver) Inherit(from *Resolver) {
	if !r.config.findsAs(&from.config) {
		return
	}
	r.cache = from.cache
	for i, s := range r.servers {
		s.health = from.servers[i].health
	}
}

// Lookup asks for the addresses of a name; w is woken when they are known. What needs no
// name server (addresses written as such, names of the hosts file, what is in the cache,
// what can be no name) is done at once, and w is not woken for it. The name may change
// after the call.
func (r *Resolver) Lookup(name string, w *loop.Waker) *Lookup { return r.lookup(name, w, false) }

// LookupAll is Lookup for who has to judge the addresses: it waits for those of both families, though
// for no more than 2 s longer than for those of the first.
func (r *Resolver) LookupAll(name string, w *loop.Waker) *Lookup { return r.lookup(name, w, true) }

func (r *Resolver) lookup(name string, w *loop.Waker, whole bool) *Lookup {
	r.stats.Names.Requests++
	if addr, ok := literal(name); ok {
		r.stats.Names.Numeric++
		return r.literalLookup(addr)
	}
	canonical, rooted, ok := canonical(r.name[:0], name, &inURL)
	if !ok {
		r.stats.Names.Invalid++
		return r.failedLookup(&Error{Name: strings.Clone(name), Kind: BadName})
	}
	if addrs := r.hostsAddrs(canonical); addrs != nil {
		r.stats.Names.Hits++
		return r.foundLookup(addrs, nil)
	}
	rooted = rooted && r.config.searches()
	e := r.cache.fresh(r.cache.byKey[key{name: string(canonical), rooted: rooted}], r.loop.Now())
	if e != nil && !(whole && e.partial) {
		return r.stats.Names.hit(e)
	}
	r.stats.Names.Misses++
	if q := r.questions[key{name: string(canonical), rooted: rooted}]; q != nil {
		return q.join(w, whole)
	}
	return r.ask(key{name: string(canonical), rooted: rooted}, w, whole)
}

// Reverse asks for the names of an address; otherwise it is like Lookup. The names are
// those that the owner of the address claims: to trust them, look them up again.
func (r *Resolver) Reverse(addr netip.Addr, w *loop.Waker) *Lookup {
	r.stats.Addrs.Requests++
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		r.stats.Addrs.Invalid++
		return r.failedLookup(&Error{Name: addr.String(), Kind: BadName})
	}
	if names := r.hostsNames(addr); names != nil {
		r.stats.Addrs.Hits++
		return r.foundLookup(nil, names)
	}
	k := key{addr: addr}
	if e := r.cache.fresh(r.cache.byKey[k], r.loop.Now()); e != nil {
		return r.stats.Addrs.hit(e)
	}
	r.stats.Addrs.Misses++
	if q := r.questions[k]; q != nil {
		return q.join(w, false)
	}
	return r.ask(k, w, false)
}

// hostsAddrs looks a name up in the hosts file. A name without a dot and the same with
// append_domain are one name there.
func (r *Resolver) hostsAddrs(name []byte) []netip.Addr {
	hosts := r.config.Hosts
	if addrs := hosts.named(name); addrs != nil || len(r.domain) == 0 {
		return addrs
	}
	host, found := bytes.CutSuffix(name, r.domain)
	switch {
	case bytes.IndexByte(name, '.') < 0:
		return hosts.named(append(name, r.domain...))
	case found && bytes.IndexByte(host, '.') < 0:
		return hosts.named(host)
	}
	return nil
}

// hostsNames are the names of an address in the hosts file, those without a dot with append_domain, as in Squid.
func (r *Resolver) hostsNames(addr netip.Addr) []string {
	names := r.config.Hosts.at(addr)
	if len(r.domain) == 0 || names == nil {
		return names
	}
	names = slices.Clone(names)
	for i, name := range names {
		if strings.IndexByte(name, '.') < 0 {
			names[i] = name + string(r.domain)
		}
	}
	return names
}

// ask starts a question about a key.
func (r *Resolver) ask(k key, w *loop.Waker, whole bool) *Lookup {
	if r.closed {
		return r.failedLookup(&Error{Name: k.String(), Kind: Closed})
	}
	q := newQuestion(r, k)
	r.questions[k] = q
	return q.join(w, whole)
}

// register gives a query an identifier that no other has now.
func (r *Resolver) register(q *query) bool {
	if len(r.asked) >= maxAsked {
		r.makeRoom()
	}
	if len(r.asked) >= maxAsked {
		return false
	}
	q.id = r.random.id()
	for r.asked[q.id] != nil {
		q.id = r.random.id()
	}
	r.count++
	q.order = r.count
	r.asked[q.id] = q
	return true
}

// makeRoom ends questions that nobody waits for. If there are few, the older half of those that have
// waited for a while fails: a zone whose servers are silent must not keep others from being asked.
func (r *Resolver) makeRoom() {
	now := r.loop.Now()
	if now.Sub(r.madeRoom) < makeRoomEvery {
		return
	}
	r.madeRoom = now
	queries := r.waiting()
	for _, p := range queries {
		if len(p.question.lookups) == 0 {
			p.question.drop(ServerFailure)
		}
	}
	if len(r.asked) <= maxAsked*3/4 {
		return
	}
	for _, p := range queries[:len(queries)/2] {
		if now.Sub(p.began) >= patient {
			p.question.drop(Timeout)
		}
	}
}

// waiting returns the queries in flight, in the order in which they began.
func (r *Resolver) waiting() []*query {
	queries := make([]*query, 0, len(r.asked))
	for _, q := range r.asked {
		queries = append(queries, q)
	}
	slices.SortFunc(queries, func(a, b *query) int { return cmp.Compare(a.order, b.order) })
	return queries
}

// Close ends all Lookups with an error of kind Closed and closes all descriptors. Later
// Lookups that need a name server fail at once. It does nothing the second time.
func (r *Resolver) Close() {
	if r.closed {
		return
	}
	r.closed = true
	for _, p := range r.waiting() {
		p.question.drop(Closed)
	}
	for _, q := range r.questions { // those that have not sent anything yet
		q.drop(Closed)
	}
	for _, s := range r.servers {
		s.close()
	}
}
