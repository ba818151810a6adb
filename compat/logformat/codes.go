package logformat

import (
	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// A code is what may follow a %.
type code struct {
	name   string
	value  value
	quote  quoting // if the format asks for none
	number bool    // filled up with zeroes if wanted, never cut
	user   bool    // a name that a user gave

	check func(arg string) error // of its {argument}; nil: anything goes

	since int // the version of Squid that had it first, if that is later than 5; else 0
	until int // the last version that had it; 0: all have it
}

// value appends the code's value; nothing appended is written as "-".
type value func(dst []byte, f *Format, p *part, rec *engine.Record) []byte

// codes are the %codes of Squid 5 to 7, with its way of quoting each when the format names none. Those of TLS may also
// begin with tls::.
var codes = []code{
	{name: "%", value: constant("%")},
	{name: byteCode, since: 7}, // is a literal by the time that a line is made
	{name: "sn", value: sequence, number: true},
	{name: "err_code", value: errorCode},
	{name: "err_detail", value: errorDetail},
	{name: "note", value: note, quote: urlEscapeOnce},
	{name: "report_only", value: reportOnly, quote: urlEscapeOnce},
	{name: "credentials", value: noValue},
	{name: "master_xaction", value: noValue},

	{name: ">a", value: clientAddress},
	{name: ">A", value: clientName},
	{name: ">p", value: clientPort, number: true},
	{name: ">eui", value: noValue},
	{name: ">la", value: localAddress},
	{name: ">lp", value: localPort, number: true},
	{name: ">qos", value: toClient(func(p engine.Packets) int { return p.TOS })},
	{name: ">nfmark", value: toClient(func(p engine.Packets) int { return p.Mark })},
	{name: ">handshake", value: noValue},
	{name: "la", value: ifParsed(listeningAddress)},
	{name: "lp", value: ifParsed(listeningPort), number: true},
	{name: "transport::>connection_id", value: connectionID, number: true, since: 6},

	{name: "<a", value: serverAddress},
	{name: "<A", value: serverName},
	{name: "<p", value: serverPort, number: true},
	{name: "<la", value: outgoingAddress},
	{name: "oa", value: outgoingAddress},
	{name: "<lp", value: outgoingPort, number: true},
	{name: "request_attempts", value: attempts, number: true, since: 6},
	{name: "<qos", value: ifContacted(toServer(func(p engine.Packets) int { return p.TOS }))},
	{name: "<nfmark", value: ifContacted(toServer(func(p engine.Packets) int { return p.Mark }))},

	{name: "ts", value: seconds, number: true},
	{name: "tu", value: subseconds, number: true},
	{name: "tl", value: localTime},
	{name: "tg", value: universalTime},
	{name: "tr", value: responseTime, number: true},
	{name: "dt", value: lookupTime, number: true},
	{name: "tS", value: startTime},
	{name: "busy_time", value: busyTime, number: true, since: 6},
	{name: "<pt", value: upstreamTime, number: true},
	{name: "<tt", value: noValue},

	{name: "un", value: user, user: true},
	{name: "ul", value: login, user: true},
	{name: "ue", value: external(func(x *engine.External) string { return x.User }), user: true},
	{name: "ui", value: noValue, user: true, until: 6},
	{name: "et", value: external(func(x *engine.External) string { return x.Tag })},
	{name: "ea", value: external(func(x *engine.External) string { return x.Log })},

	{name: "rm", value: method},
	{name: ">rm", value: ifParsed(method)},
	{name: "<rm", value: method},
	{name: "ru", value: loggedURL},
	{name: ">ru", value: clientURL, quote: urlEscapeOnce},
	{name: "<ru", value: serverURL, quote: urlEscapeOnce},
	{name: ">rs", value: fromTarget(clientTarget, scheme)},
	{name: "<rs", value: fromTarget(serverTarget, scheme)},
	{name: ">rd", value: fromTarget(clientTarget, domain), quote: urlEscapeOnce},
	{name: "<rd", value: fromTarget(serverTarget, domain), quote: urlEscapeOnce},
	{name: ">rP", value: fromTarget(clientTarget, port), number: true},
	{name: "<rP", value: fromTarget(serverTarget, port), number: true},
	{name: "rp", value: fromTarget(clientTarget, path), quote: urlEscapeOnce},
	{name: ">rp", value: fromTarget(clientTarget, path), quote: urlEscapeOnce},
	{name: "<rp", value: fromTarget(serverTarget, path), quote: urlEscapeOnce},
	{name: "rv", value: version},
	{name: ">rv", value: ifParsed(version)},
	{name: ">v", value: version},
	{name: "<rv", value: ifContacted(constant("1.1"))},

	{name: ">h", value: requestHeader, quote: urlEscapeOnce},
	{name: ">ha", value: requestHeader, quote: urlEscapeOnce},
	{name: "<h", value: replyHeader, quote: urlEscapeOnce},
	{name: ">Hs", value: status, number: true},
	{name: "Hs", value: status, number: true},
	{name: "<Hs", value: serverStatus, number: true},
	{name: "mt", value: mediaType},

	{name: "st", value: total, number: true},
	{name: ">st", value: received, number: true},
	{name: "<st", value: sent, number: true},
	{name: ">sh", value: noValue},
	{name: "<sh", value: noValue},
	{name: "<sH", value: noValue},
	{name: "<sS", value: noValue},
	{name: "<bs", value: serverBody, number: true},

	{name: "ssl::>cert_subject", value: withCertificate(subject)},
	{name: "ssl::>cert_issuer", value: withCertificate(issuer)},
	{name: "ssl::>negotiated_version", value: withSession(negotiatedVersion)},
	{name: "ssl::>negotiated_cipher", value: withSession(negotiatedCipher)},
	{name: "ssl::>received_hello_version", value: withHello(helloVersion)},
	{name: "ssl::>received_supported_version", value: withHello(supportedVersion)},
	{name: "ssl::<negotiated_version", value: withServer(serverVersion)},
	{name: "ssl::<negotiated_cipher", value: withServer(serverCipher)},
	{name: "ssl::<received_hello_version", value: withServer(serverHelloVersion)},
	{name: "ssl::<received_supported_version", value: withServer(serverSupportedVersion)},

	{name: "proxy_protocol::>h", value: proxyHeader, quote: urlEscapeOnce, check: checkProxyHeader},

	{name: "Ss", value: squidResult},
	{name: "Sh", value: hierarchy},

	{name: "ssl::bump_mode", value: bumpMode},
	{name: "ssl::>sni", value: withHello(requestedName)},
	{name: "ssl::>ech", value: withHello(encryptedHello)}, // ours
	{name: "ssl::<cert", value: ofCertificate(certificatePEM), quote: urlEscapeOnce},
	{name: "ssl::<cert_subject", value: ofCertificate(verify.Subject)},
	{name: "ssl::<cert_issuer", value: ofCertificate(verify.Issuer)},
	{name: "ssl::<cert_errors", value: certificateErrors},
}

// legacy are the codes of external_acl_type in Squid 2 and 3, which all formats know, by those of logformat. Of two the longer
// stands first. Only lines of external acls have something to say for the last two.
var legacy = []struct{ name, code string }{
	{"LOGIN", "ul"}, {"IDENT", "ui"}, {"SRCEUI48", ">eui"}, {"SRCEUI64", ">eui"}, {"SRCPORT", ">p"}, {"SRC", ">a"},
	{"DST", ">rd"}, {"PROTO", ">rs"}, {"PORT", ">rP"}, {"METHOD", ">rm"}, {"PATH", ">rp"}, {"URI", ">ru"},
	{"MYADDR", "la"}, {"MYPORT", "lp"}, {"EXT_USER", "ue"}, {"EXT_LOG", "ea"}, {"EXT_TAG", "et"}, {"TAG", "et"},
	{"ACL", ""}, {"DATA", ""},
}

// unavailable are the codes of Squid's adaptation: they never have a value here.
var unavailable = []string{
	"rG", "adapt::<last_h", "adapt::all_trs", "adapt::sum_trs",
	"icap::<A", "icap::<a", "icap::<bs", "icap::<h", "icap::<last_h", "icap::<service_name", "icap::<st",
	"icap::>h", "icap::>st", "icap::Hs", "icap::rm", "icap::ru", "icap::tio", "icap::to", "icap::tr", "icap::tt",
}
