package logformat

import "exaproxy/engine"

// A code is what may follow a %.
type code struct {
	name   string
	value  value
	quote  quoting // if the format asks for none
	number bool    // filled up with zeroes if wanted, never cut
	user   bool    // a name that a user gave
}

// value appends the code's value; nothing appended is written as "-".
type value func(dst []byte, f *Format, p *part, rec *engine.Record) []byte

// codes are the %codes of Squid 5, with its way of quoting each when the format names none.
var codes = []code{
	{name: "%", value: constant("%")},
	{name: "sn", value: sequence, number: true},
	{name: "err_code", value: errorCode},
	{name: "err_detail", value: errorDetail},
	{name: "note", value: note, quote: through},
	{name: "credentials", value: unknown},
	{name: "master_xaction", value: unknown},

	{name: ">a", value: clientAddress},
	{name: ">A", value: clientName},
	{name: ">p", value: clientPort, number: true},
	{name: ">eui", value: unknown},
	{name: ">la", value: localAddress},
	{name: ">lp", value: localPort, number: true},
	{name: ">qos", value: constant("0x0")},
	{name: ">nfmark", value: constant("0x0")},
	{name: ">handshake", value: unknown},
	{name: "la", value: requested(localAddress)},
	{name: "lp", value: requested(localPort), number: true},

	{name: "<a", value: serverAddress},
	{name: "<A", value: serverName},
	{name: "<p", value: serverPort, number: true},
	{name: "<la", value: outgoingAddress},
	{name: "oa", value: outgoingAddress},
	{name: "<lp", value: outgoingPort, number: true},
	{name: "<qos", value: contacted(constant("0x0"))},
	{name: "<nfmark", value: contacted(constant("0x0"))},

	{name: "ts", value: seconds, number: true},
	{name: "tu", value: subseconds, number: true},
	{name: "tl", value: localTime},
	{name: "tg", value: universalTime},
	{name: "tr", value: responseTime, number: true},
	{name: "dt", value: lookupTime, number: true},
	{name: "tS", value: startTime},
	{name: "<pt", value: upstreamTime, number: true},
	{name: "<tt", value: unknown},

	{name: "un", value: user, user: true},
	{name: "ul", value: user, user: true},
	{name: "ue", value: unknown, user: true},
	{name: "ui", value: unknown, user: true},
	{name: "us", value: unknown, user: true},
	{name: "et", value: annotation("tag")},
	{name: "ea", value: annotation("log")},

	{name: "rm", value: method},
	{name: ">rm", value: requested(method)},
	{name: "<rm", value: method},
	{name: "ru", value: loggedURL},
	{name: ">ru", value: clientURL, quote: through},
	{name: "<ru", value: serverURL, quote: through},
	{name: ">rs", value: of(client, scheme)},
	{name: "<rs", value: of(server, scheme)},
	{name: ">rd", value: of(client, domain), quote: through},
	{name: "<rd", value: of(server, domain), quote: through},
	{name: ">rP", value: of(client, port), number: true},
	{name: "<rP", value: of(server, port), number: true},
	{name: "rp", value: of(client, path), quote: through},
	{name: ">rp", value: of(client, path), quote: through},
	{name: "<rp", value: of(server, path), quote: through},
	{name: "rv", value: version},
	{name: ">rv", value: requested(version)},
	{name: ">v", value: version},
	{name: "<rv", value: contacted(constant("1.1"))},

	{name: ">h", value: requestHeader, quote: through},
	{name: ">ha", value: requestHeader, quote: through},
	{name: "<h", value: replyHeader, quote: through},
	{name: ">Hs", value: status, number: true},
	{name: "Hs", value: status, number: true},
	{name: "<Hs", value: serverStatus, number: true},
	{name: "mt", value: mediaType},

	{name: "st", value: total, number: true},
	{name: ">st", value: received, number: true},
	{name: "<st", value: sent, number: true},
	{name: ">sh", value: unknown},
	{name: "<sh", value: unknown},
	{name: "<sH", value: unknown},
	{name: "<sS", value: unknown},
	{name: "<bs", value: serverBody, number: true},

	{name: "Ss", value: tag},
	{name: "Sh", value: hierarchy},
}

// absent are the codes of Squid's adaptation, TLS and PROXY protocol: they never have a value
// here. Those of TLS may also begin with tls::.
var absent = []string{
	"rG", "adapt::<last_h", "adapt::all_trs", "adapt::sum_trs",
	"icap::<A", "icap::<a", "icap::<bs", "icap::<h", "icap::<last_h", "icap::<service_name", "icap::<st",
	"icap::>h", "icap::>st", "icap::Hs", "icap::rm", "icap::ru", "icap::tio", "icap::to", "icap::tr", "icap::tt",
	"proxy_protocol::>h",
	"ssl::bump_mode", "ssl::>cert_subject", "ssl::>cert_issuer", "ssl::>sni", "ssl::>negotiated_version",
	"ssl::>negotiated_cipher", "ssl::>received_hello_version", "ssl::>received_supported_version",
	"ssl::<negotiated_version", "ssl::<negotiated_cipher", "ssl::<received_hello_version",
	"ssl::<received_supported_version", "ssl::<cert", "ssl::<cert_errors", "ssl::<cert_subject", "ssl::<cert_issuer",
}
