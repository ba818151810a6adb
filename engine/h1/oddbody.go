package h1

import "slices"

// withBody are the methods whose requests may have a body that means something (RFC 9110 sections 9.3.3 and 9.3.4, RFC 5789,
// 4918, 3253, 3744, 4791, 5323 and 10008, and those of Exchange).
var withBody = [...]string{
	"POST", "PUT", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "LOCK", "COPY", "MOVE", "REPORT", "SEARCH", "ACL", "QUERY",
	"MKCALENDAR", "VERSION-CONTROL", "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL", "MERGE",
	"BASELINE-CONTROL", "MKACTIVITY", "ORDERPATCH", "SUBSCRIBE", "POLL", "BPROPFIND", "BPROPPATCH", "BCOPY", "BMOVE", "BDELETE",
}

// HasOddBody says whether a body, if there is one, means nothing to the request's method. A server that does not look for
// one takes it for the next request, which nobody has judged.
func (r *Request) HasOddBody() bool { return !slices.Contains(withBody[:], r.Method) }
