package errpage

import "exaproxy/compat/verify"

// A pageText is what is particular to one page: sentences, which may have codes in them.
type pageText struct {
	name     string // Squid's
	headline string
	what     string // happened
	detail   string // the reason underneath, if there may be one
	advice   string // what can be done
}

const (
	retry      = "It may work again in a few minutes."
	checkURL   = "Please look whether the address is spelt correctly."
	askAdmin   = "If you think that this is a mistake, please tell the administrator named below."
	notServed  = "Only web addresses are served."
	askProgram = "The program that made the request has to be mended or set up differently."
	onlyThey   = "Only the people who run the server can mend this."
	noFTP      = "FTP is not served by this proxy."
)

// secureFail is the page of handshakes with servers that fail.
const secureFail = "ERR_SECURE_CONNECT_FAIL"

// secureAdvice is what can be done, in place of the page's own advice, where the fault may lie with the proxy: whom it
// trusts, what its clock says and which lists of revoked certificates it has.
var secureAdvice = map[verify.Kind]string{
	verify.UnknownIssuer: askTrust, verify.UntrustedRoot: askTrust, verify.SelfSigned: askTrust,
	verify.NotYetValid: "The server's certificate has been made too early, or the clock of the proxy is slow. " +
		"If your own clock agrees that it is valid, please tell the administrator named below.",
	verify.CRLUnavailable: askLists, verify.CRLExpired: askLists,
}

const (
	askTrust = "Nobody whom this proxy trusts vouches for the server: it may be an impostor's. " +
		"If you know that it is not, the people who run it can get a certificate that others trust, " +
		"or the administrator named below can have the proxy trust this one."
	askLists = "The administrator named below can give the proxy a new list of revoked certificates."
)

// texts are our own words for the pages of Squid 5. The first stands in for pages without a
// text.
var texts = []pageText{
	{"", "This page cannot be shown", "The proxy has an answer to your request, but no page for it.", "", askAdmin},
	{AccessDenied, "Access denied", "The rules of this proxy do not allow you to visit this address.", "", askAdmin},
	{"ERR_ACL_TIME_QUOTA_EXCEEDED", "Your time is used up",
		"The time that you may spend on this address is over.",
		"", askAdmin},
	{"ERR_AGENT_CONFIGURE", "How to set up your browser",
		"Your browser is to use the proxy %h, port %b.",
		"", "Enter this name and this port in its network settings."},
	{"ERR_AGENT_WPAD", "How to set up your browser",
		"Your browser can find out by itself how to reach the proxy %h.",
		"", "Let it detect the proxy settings of this network."},
	{CacheAccessDenied, "Who are you?",
		"This proxy serves only people it knows, and it does not know you yet.",
		"", "Please give your user name and password when your browser asks for them. " + askAdmin},
	{"ERR_CACHE_MGR_ACCESS_DENIED", "Password needed",
		"The pages about this proxy itself are only for its administrators.",
		"", "Please give the password of the cache manager."},
	{"ERR_CANNOT_FORWARD", "No way to get there",
		"The proxy knows no way by which this request could go on.",
		"", retry},
	{"ERR_CONFLICT_HOST", "Two addresses in one request",
		"The request names one server and was on its way to another.",
		"", askProgram},
	{"ERR_CONNECT_FAIL", "The server cannot be reached",
		"Nothing at %I would take up a connection.",
		"%E", "The server may be down, or too busy. " + retry},
	{"ERR_DIR_LISTING", "Directory of %F", "This is the content of a directory.", "", noFTP},
	{"ERR_DNS_FAIL", "There is no server of this name", "The name %H does not lead to any address.", "%z", checkURL},
	{"ERR_ESI", "This page could not be put together", "The server sent a page in pieces that do not fit.", "%Z", retry},
	{"ERR_FORWARDING_DENIED", "Not by this way",
		"This proxy may not forward requests for the one that asked.",
		"", askAdmin},
	{"ERR_FTP_DISABLED", "No FTP", "The address is that of an FTP server.", "", noFTP},
	{"ERR_FTP_FAILURE", "FTP failed", "The FTP server did not do as it was asked.", "%Z", noFTP},
	{"ERR_FTP_FORBIDDEN", "FTP login refused", "The FTP server did not accept the user name and password.", "%Z", noFTP},
	{"ERR_FTP_NOT_FOUND", "Nothing of this name", "The FTP server has no such file or directory.", "%Z", checkURL},
	{"ERR_FTP_PUT_CREATED", "File created", "The FTP server has stored the file.", "", "There is nothing left to do."},
	{"ERR_FTP_PUT_ERROR", "File not stored", "The FTP server did not store the file.", "%Z", retry},
	{"ERR_FTP_PUT_MODIFIED", "File replaced",
		"The FTP server has stored the file in place of the old one.",
		"", "There is nothing left to do."},
	{"ERR_FTP_UNAVAILABLE", "FTP server too busy", "The FTP server takes no more users now.", "%Z", retry},
	{"ERR_GATEWAY_FAILURE", "The proxy is in trouble",
		"The proxy could not deal with this request because of a fault of its own.",
		"", retry + " If it does not, please tell the administrator named below."},
	{"ERR_ICAP_FAILURE", "The content could not be checked",
		"A service that checks what passes here did not answer.",
		"%E", retry},
	{"ERR_INVALID_REQ", "This request makes no sense",
		"The proxy could not understand the request, or there was more than one way to read it.",
		"%Z", askProgram},
	{"ERR_INVALID_RESP", "The answer makes no sense",
		"The server at %I sent an answer that the proxy could not understand, or that can be read in more than one way.",
		"%Z", onlyThey},
	{"ERR_INVALID_URL", "This is no address",
		"The request has an address that cannot be one: something in it is missing, or not allowed there.",
		"%Z", checkURL},
	{"ERR_LIFETIME_EXP", "It took too long", "The request was given up because it had lasted for so long.", "", retry},
	{"ERR_NO_RELAY", "No relay of mail", "This proxy does not send mail.", "", "Please use a mail server."},
	{"ERR_ONLY_IF_CACHED_MISS", "Not in store",
		"The request asked for a stored copy only, and this proxy keeps none.",
		"", askProgram},
	{"ERR_PRECONDITION_FAILED", "Condition not met",
		"The request was to be served under a condition that is not met.",
		"", askProgram},
	{"ERR_PROTOCOL_UNKNOWN", "This is not HTTP",
		"Something spoke to the proxy in a protocol that it does not know.",
		"", askProgram},
	{"ERR_READ_ERROR", "The connection broke",
		"The connection to the server ended before its answer was complete.",
		"%E", retry},
	{"ERR_READ_TIMEOUT", "The server does not answer",
		"The server took the request and then was silent for too long.",
		"%E", "It may be overloaded. " + retry},
	{secureFail, "No secure connection",
		"The server at %I and the proxy could not agree on a secure connection.",
		"%D (%x)", onlyThey},
	{"ERR_SHUTTING_DOWN", "The proxy is stopping", "This proxy is being stopped and takes no more requests.", "", retry},
	{"ERR_SOCKET_FAILURE", "The proxy is in trouble",
		"The proxy could not open another connection.",
		"%E", "It may be overloaded. " + retry},
	{"ERR_TOO_BIG", "Too large", "The request or its answer is larger than this proxy allows.", "%Z", askAdmin},
	{"ERR_UNSUP_HTTPVERSION", "Unknown version of HTTP",
		"The request was made in a version of HTTP that this proxy does not speak.",
		"", askProgram},
	{"ERR_UNSUP_REQ", "Not done here",
		"The proxy understands this request, but does not serve its kind.",
		"%Z", notServed},
	{"ERR_URN_RESOLVE", "This name leads nowhere", "The proxy cannot find out where a URN is to be had.", "", notServed},
	{"ERR_WRITE_ERROR", "The connection broke",
		"The connection to the server ended before the request had been sent.",
		"%E", retry},
	{"ERR_ZERO_SIZE_OBJECT", "The server said nothing", "The server ended the connection without an answer.", "", retry},
}
