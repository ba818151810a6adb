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
// A new type of acl is one file and one row:
//
//  1. a file NAME.go with a tester (types.go says what its methods do; embed simple if it waits for
//     nobody) and its constructor, or only a constructor where a tester of another type does: text.go
//     has patterns for a text of the request, words.go words and ports, address.go addresses. (A type of
//     patterns whose name does not end in _regex also stands in takesPatterns of package conf, which
//     has all of Squid's.);
//
//  2. the row of the type in types.go: its constructor and the flags that it takes;
//
//  3. for a slow type, in the same file: a question, and a source that asks it (question.go; lookup.go
//     is the example). match calls ask, and answers wait until the question is settled. A service that
//     no type has used before is a new field of Services, which package compat fills;
//
//  4. a line in TestTypes.
//
//     set := acl.NewSet()
//     access := set.NewList("http_access", acl.Deny)
//     for i := range lines {
//     switch line := &lines[i]; line.Name {
//     case "acl":
//     warnings, err = set.Add(line)
//     case "http_access":
//     warnings, err = access.Add(line, 0)
//     }
//     }
//     warnings = set.Finish()
//     answer := access.Match(request, &request.Target, &place)
package acl
