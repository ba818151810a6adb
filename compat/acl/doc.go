// Package acl tests requests with Squid's access lists: the acl directive, and the rules of
// http_access, url_rewrite_access and all others that name acls.
//
// Package compat fills a Set and its Lists while it loads a configuration, on the loading
// goroutine. From Set.Finish on they never change, and every worker's policy matches its
// requests against the same ones, each on its own goroutine.
//
// A List lives as long as the configuration that it stands in. Match walks over its rules from
// the first, each time it is called. What a rule wants to know from name servers is looked up
// through the Place, which belongs to one request: Match then answers Pending, the request's
// waker is woken, and Match is called again and finds the answer in the Place.
//
// The package never blocks while matching, starts no goroutine, and takes no lock of its own.
// It does not decide what a denial looks like, and does not know in which order directives are
// checked. Where it differs from Squid it is in what Squid does badly: networks and domains that
// overlap are united, where Squid leaves some out or does not start; ipv4 means the IPv4
// addresses; an IPv6 network holds no IPv4 addresses unless it is part of ::ffff:0:0/96; values
// behind a file name count. A pattern that POSIX allows and Go's regexp cannot follow, such
// as one with a back reference, is an error.
//
//	set := acl.NewSet()
//	access := set.NewList("http_access", acl.Deny)
//	for i := range lines {
//		switch line := &lines[i]; line.Name {
//		case "acl":
//			warnings, err = set.Add(line)
//		case "http_access":
//			warnings, err = access.Add(line, 0)
//		}
//	}
//	warnings = set.Finish()
//	answer := access.Match(request, &request.Target, &place)
package acl
