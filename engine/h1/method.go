package h1

// knownMethods are those that Squid has a name for, the common ones first.
var knownMethods = [...]string{
	"GET", "POST", "CONNECT", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE",
	"PROPFIND", "REPORT", "PURGE", "SEARCH", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
	"CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "VERSION-CONTROL", "UPDATE", "LABEL", "MERGE",
	"BASELINE-CONTROL", "MKACTIVITY",
}

// methodName returns the method as a string, without allocating for those that are known.
//
// RFC 9110 section 9.1: "The method token is case-sensitive". Squid's relaxed_header_parser corrects
// the case of those it knows all the same, and that is safer: an origin that takes head for HEAD
// would frame its reply otherwise than we read it, and an acl for CONNECT must match connect.
func methodName(m []byte, relaxed bool) string {
	for _, known := range knownMethods {
		if string(m) == known {
			return known
		}
	}
	if string(m) == "PATCH" { // common, but none of Squid's: in small letters it is another
		return "PATCH"
	}
	if relaxed {
		for _, known := range knownMethods {
			if equalFold(m, known) {
				return known
			}
		}
	}
	return string(m)
}
