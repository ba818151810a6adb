package acceptance

import "regexp"

// A bumpDifference is one between the proxies that is intended.
type bumpDifference struct {
	why   string
	cases *regexp.Regexp // in which it is seen
	in    []bumpChange
}

// A bumpChange is what a difference means for one of those who see it.
type bumpChange struct {
	who   string
	their *regexp.Regexp // what Squid has
	our   string         // and what takes its place
}

var re = regexp.MustCompile

// all is everything, for changes that leave nothing as it was.
var all = re(`(?s)\A.*\z`)

// bumpDifferences are all that are intended. They are made in this order.
var bumpDifferences = []bumpDifference{
	{"a client is told by an alert that its tunnel is ended", re(`terminate`), []bumpChange{
		{"client", re(`handshake: closed$`), `handshake: remote error: tls: access denied`},
		{"log", re(`^(NONE_NONE/200 CONNECT \S+ terminate \S+) HIER_NONE/- ERR_SECURE_CONNECT_FAIL WITH_SERVER$`), `$1 HIER_DIRECT/ADDRESS - -`},
	}},
	{"step 3 is decided for servers of TLS 1.3 as well, whose certificate is not seen: Squid lets the tunnel be", re(`peek step2; (terminate|splice provided; terminate|splice agreed; terminate).* \| 1\.3 \|`), []bumpChange{
		{"client", re(`TLS 1\.3 with .*$`), `handshake: remote error: tls: access denied`},
		{"site", re(`, GET .*$`), ``},
		{"log", re(`^TCP_TUNNEL/200 (CONNECT \S+) splice`), `NONE_NONE/200 $1 terminate`},
	}},
	{"a certificate that the client itself will see is the client's to judge", re(`^peek (all|step1; peek step2; splice all) \| TLS \| (expired|self-signed|misnamed) 1\.2`), []bumpChange{
		{"site", re(`$`), `, GET / for c.good.test:PORT, GET /second for c.good.test:PORT`},
		{"log", all, `TCP_TUNNEL/200 CONNECT c.good.test:PORT splice c.good.test HIER_DIRECT/ADDRESS - -`},
	}},
	{"the same, expired", re(`^peek (all|.*splice all) \| TLS \| expired 1\.2`), []bumpChange{
		{"client", re(`^CONNECT: 200; TLS 1\.3 with CN=c.good.test \[.*close.*$`), `CONNECT: 200; TLS 1.2 with CN=c.good.test,O=site ["c.good.test"] [] by CA of sites, expired; GET: 200 c.good.test answers /; GET: 200 c.good.test answers /second`},
	}},
	{"the same, self-signed", re(`^peek (all|.*splice all) \| TLS \| self-signed 1\.2`), []bumpChange{
		{"client", re(`^CONNECT: 200; TLS 1\.3 with CN=c.good.test \[.*close.*$`), `CONNECT: 200; TLS 1.2 with CN=c.good.test,O=site ["c.good.test"] [] by c.good.test, the site's term; GET: 200 c.good.test answers /; GET: 200 c.good.test answers /second`},
	}},
	{"the same, of another name", re(`^peek (all|.*splice all) \| TLS \| misnamed 1\.2`), []bumpChange{
		{"client", re(`^CONNECT: 200; TLS 1\.3 with CN=c.good.test \[.*close.*$`), `CONNECT: 200; TLS 1.2 with CN=another.test,O=site ["another.test"] [] by CA of sites, the site's term; GET: 200 c.good.test answers /; GET: 200 c.good.test answers /second`},
	}},
	{"a spliced tunnel is one record", re(``), []bumpChange{
		{"log", re(`(?m)^NONE_NONE/200 CONNECT \S+ splice \S+ HIER_NONE/- - -\n`), ``},
	}},
	{"a client that has had a 200 has had no 500", re(``), []bumpChange{
		{"log", re(`TCP_TUNNEL/500`), `TCP_TUNNEL/200`},
	}},
	{"the verdict on a CONNECT is one record, whatever tells it", re(`\| (denied|sent|refused|reset)\.test`), []bumpChange{
		{"log", re(`^TCP_DENIED/200 (CONNECT \S+) bump (\S+ \S+ \S+ -)\nNONE_NONE/(\d+) GET .*$`), `TCP_DENIED/$3 $1 - $2`},
		{"log", re(`(?s)^TCP_DENIED/200 (CONNECT \S+) bump - (HIER_NONE/- ERR_ACCESS_DENIED) .*$`), `TCP_DENIED/403 $1 - - $2 -`},
		{"log", re(`^TCP_DENIED/200 (CONNECT \S+) bump - HIER_NONE/- TCP_RESET -$`), `TCP_DENIED/000 $1 - - HIER_NONE/- - -`},
	}},
	{"a reset is no error", re(`/reset$`), []bumpChange{
		{"log", re(` TCP_RESET -$`), ` - -`},
		{"client", re(`GET: "", closed$`), `GET: "", reset`},
	}},
	{"who does not speak TLS is told of the verdict as well", re(`\| (HTTP|SSH|silent) \| 1\.3 \| denied`), []bumpChange{
		{"client", re(`GET: "", closed$`), `GET: 403 ERR_ACCESS_DENIED 0, closed`},
		{"client", re(`reads "", closed$`), `reads "HTTP/1.1 403 Forbidden\r\nServer: squid/5.", closed`},
	}},
	{"a browser is shown the helper's redirect, and a URL in place of a host is one", re(`\| (helper302|helperhttp)\.test`), []bumpChange{
		{"client", re(`^CONNECT: 302 http://block.test/$`), `CONNECT: 200; TLS 1.3 with CN=c.helper302.test ["c.helper302.test"] [] by the proxy, a term of its own; GET: 302 http://block.test/, closed`},
		{"log", re(`^(TCP_REDIRECT/302 CONNECT (c.helper302.test):PORT -) -`), `$1 $2`},
	}},
	{"a URL in place of a host is a redirect", re(`\| helperhttp\.test`), []bumpChange{
		{"client", all, `CONNECT: 200; TLS 1.3 with CN=c.helperhttp.test ["c.helperhttp.test"] [] by the proxy, a term of its own; GET: 302 http://block.test/, closed`},
		{"site", all, ``},
		{"helper", re(`(?s)\n.*$`), ``},
		{"log", all, `TCP_REDIRECT/302 CONNECT c.helperhttp.test:PORT - c.helperhttp.test HIER_NONE/- - -`},
	}},
	{"http_access and the helper are asked about the server's name whatever becomes of the tunnel, as soon as it is known", re(`^(peek|stare) .* refused SNI`), []bumpChange{
		{"client", re(`handshake: .*$|TLS 1.*$`), `TLS 1.3 with CN=sni.refused.test ["sni.refused.test"] [] by the proxy, a term of its own; GET: 403 ERR_ACCESS_DENIED 0, closed`},
		{"site", all, ``},
	}},
	{"the same, after peek at step 2, where Squid asks nobody", re(`^peek step1; peek .* refused SNI`), []bumpChange{
		{"log", re(`^TCP_TUNNEL/200 (CONNECT \S+) splice (\S+) .*$`), `TCP_DENIED/403 $1 peek $2 HIER_NONE/- ERR_ACCESS_DENIED -`},
	}},
	{"what is wrong with a name is its own error", re(`unresolved|other Host`), []bumpChange{
		{"client", re(`(502 ERR_READ_ERROR|500 ERR_CANNOT_FORWARD) 0`), `503 ERR_DNS_FAIL 0`},
		{"log", re(`(?m)(NONE_NONE|TCP_MISS)/50[02] (\S+ \S+ \S+ \S+ \S+) (ERR_READ_ERROR WITH_SERVER|ERR_CANNOT_FORWARD -)`), `$1/503 $2 ERR_DNS_FAIL -`},
	}},
	{"an address in a certificate is one", re(`address, no SNI`), []bumpChange{
		{"client", re(`ADDRESS \["ADDRESS"\] \[\]`), `ADDRESS [] [ADDRESS]`},
	}},
	{"a CONNECT that fails ends its connection", re(`^(splice all)? \| TLS \| (dead|unresolved)`), []bumpChange{
		{"client", re(`^CONNECT: 503 ERR_\w+ \d+$`), `$0, closed`},
		{"log", re(`errno=111$`), `WITH_SERVER`},
	}},
	{"requests inside have to be for the host that the tunnel was decided on", re(`\| other Host|((peek|stare) .*bump all|stare all|server-first all) \| (address|other SNI) \| 1\.3`), []bumpChange{
		{"client", re(`GET: .*$`), `GET: 503 ERR_CANNOT_FORWARD 0, closed`},
		{"site", re(`, GET .*$`), ``},
		{"helper", re(`(?m)\nhttps://.*$`), ``},
		{"log", re(`(?s)^(\S+ CONNECT \S+ (\S+) (\S+) [^\n]*)\n\w+/\d+ GET (\S+) .*$`), "$1\nNONE_NONE/503 GET $4 $2 $3 HIER_NONE/- ERR_CANNOT_FORWARD -"},
	}},
	{"requests inside go where the helper sends them, after bump at step 2 as well, and http is not TLS", re(`/helperhttps?$`), []bumpChange{
		{"client", re(`GET: 503 .*, closed$`), `GET: 200 there; GET: 200 c.good.test answers /second`},
		{"helper", re(`(?m)^(https://c.good.test:PORT)/helperhttps?( .*)$`), "$0\n$1/second$2"},
		{"log", re(`(?m)^TCP_MISS/503 (GET \S+ (\S+) \S+) HIER_NONE/- .*$`), "TCP_MISS/200 $1 HIER_DIRECT/there - -\nTCP_MISS/200 GET https://c.good.test:PORT/second $2 c.good.test HIER_DIRECT/ADDRESS - -"},
		{"site", re(`^(connection, ClientHello for "c.good.test")?$`), `connection, ClientHello for "c.good.test", GET /second for c.good.test:PORT`},
	}},
	{"the same, who answers: https", re(`/helperhttps$`), []bumpChange{
		{"client", re(`200 there`), `200 stranger.test answers /there`},
		{"log", re(`HIER_DIRECT/there`), `HIER_DIRECT/127.9.9.9`},
	}},
	{"the same, who answers: http", re(`/helperhttp$`), []bumpChange{
		{"client", re(`200 there`), `200 plain.test answers /there`},
		{"log", re(`HIER_DIRECT/there`), `HIER_DIRECT/127.9.9.8`},
	}},
	{"a server that ends a connection because it wants a certificate is tried once more, and has answered nothing", re(`(bump|server-first) all \| TLS \| asks`), []bumpChange{
		{"client", re(`GET: "", (closed|nothing comes)$`), `GET: 502 ERR_READ_ERROR 0`}, // Squid forgets some of them
		{"client", re(`ERR_ZERO_SIZE_OBJECT`), `ERR_READ_ERROR`},
		{"site", re(`$`), `, connection, ClientHello for "c.good.test"`},
		{"helper", re(`^(\S+)( \S+ - )CONNECT (.*) sni=-$`), "$0\nhttps://$1/${2}GET $3 sni=c.good.test"},
		{"log", re(`ERR_ZERO_SIZE_OBJECT`), `ERR_READ_ERROR`},
		{"log", re(`(?s)^(\S+ CONNECT \S+ (\S+) [^\n]*)(\nTCP_MISS(_ABORTED)?/000 GET .*)?$`), "$1\nTCP_MISS/502 GET https://c.good.test:PORT/ $2 c.good.test HIER_DIRECT/ADDRESS ERR_READ_ERROR WITH_SERVER"},
	}},
	{"a server is asked for the host of the CONNECT by a client that asks for nobody", re(`^stare step1; stare .* no SNI`), []bumpChange{
		{"site", re(`ClientHello for ""`), `ClientHello for "c.good.test"`},
	}},
	{"the log has no numbers of places in Squid's code", re(`\| (HTTP|SSH)`), []bumpChange{
		{"log", re(`ERR_PROTOCOL_UNKNOWN exception=\w+$`), `ERR_PROTOCOL_UNKNOWN -`},
	}},
	{"what is refused or fails inside does not end the connection", re(`^bump|^client-first|/|\| refused SNI`), []bumpChange{
		{"client", re(`(GET: [345].*), closed$`), `$1`},
	}},
	{"what fails in a tunnel that is there for the client is told inside TLS", re(`^peek step1; splice all \| TLS \| (dead|unresolved)`), []bumpChange{
		{"client", re(`handshake: closed$`), `TLS 1.3 with CN=c.good.test ["c.good.test"] [] by the proxy, a term of its own; GET: 503 ERR_CONNECT_FAIL 111, closed`},
		{"client", re(`handshake: tls: first record .*$`), `TLS 1.3 with CN=c.good.test ["c.good.test"] [] by the proxy, a term of its own; GET: 503 ERR_DNS_FAIL 0, closed`},
		{"log", re(`^(NONE_NONE/503 .*) - -$`), `$1 ERR_CONNECT_FAIL WITH_SERVER`},
	}},
	{"what fails inside is one record", re(``), []bumpChange{
		{"log", re(`(?s)^NONE_NONE/200 (CONNECT \S+ \S+ \S+) \S+ (ERR_\S+ \S+)\nNONE_NONE/(50\d) GET [^\n]*$`), `NONE_NONE/$3 $1 HIER_DIRECT/ADDRESS $2`},
	}},
	{"the same, of a name that cannot be resolved", re(`\| unresolved`), []bumpChange{
		{"log", re(`DIRECT/ADDRESS ERR_READ_ERROR WITH_SERVER$`), `NONE/- ERR_DNS_FAIL -`},
	}},
	{"the same, where the helper leads", re(`\| moved\.test`), []bumpChange{
		{"log", re(`HIER_DIRECT/ADDRESS`), `HIER_DIRECT/127.9.9.9`},
	}},
	{"the address is logged of a server that failed in TLS, and no numbers of OpenSSL's", re(``), []bumpChange{
		{"log", re(`(?m)HIER_NONE/- (ERR_SECURE_CONNECT_FAIL \S+)$`), `HIER_DIRECT/ADDRESS $1`},
		{"log", re(`\+(TLS_LIB_ERR|TLS_IO_ERR|errno)=\w+`), ``},
	}},
	{"a tunnel without TLS is one record, and nobody is asked about it again", re(`\| (HTTP|SSH|silent) \| (http|ssh)`), []bumpChange{
		{"log", re(`^NONE_NONE/200 (CONNECT \S+ \S+ -).*\nTCP_TUNNEL/200 - \S+ \S+ -`), `TCP_TUNNEL/200 $1`},
		{"helper", re(`(?m)\n\S+ \S+ - NONE .*$`), ``},
	}},
	{"the helper is asked again as soon as the server's name is known, and about that", re(`^(peek|stare)`), []bumpChange{
		{"helper", re(`(?m)\n\S+ \S+ - CONNECT .* sni=\S+$`), ``},
	}},
	{"the same: the host of the CONNECT", re(`^(peek|stare) ([^|]*peek step2|[^|]*splice all|all)[^|]*\| (TLS|TLS 1.2|other Host) \|`), []bumpChange{
		{"helper", re(`^(\S+)(:PORT \S+ - CONNECT \S+) sni=-`), "$0\n${1}${2} sni=${1}"},
	}},
	{"the same: another name", re(`^peek ([^|]*splice )?all \| other SNI \|`), []bumpChange{
		{"helper", re(`^(\S+)(:PORT \S+ - CONNECT \S+) sni=-`), "$0\nsni.${1}${2} sni=sni.$1"},
	}},
	{"the same: a name for an address", re(`^peek ([^|]*splice )?all \| address \|`), []bumpChange{
		{"helper", re(`^(\S+)(:PORT \S+ - CONNECT \S+) sni=-`), "$0\nc.good.test$2 sni=c.good.test"},
	}},
	{"the same: a name that is denied", re(`^peek [^|]*splice all \| .*denied SNI \|`), []bumpChange{
		{"helper", re(`^(\S+)(:PORT \S+ - CONNECT \S+) sni=-`), "$0\nsni.denied.test$2 sni=sni.denied.test"},
	}},
	{"the same: none", re(`^peek [^|]*splice all \| .*no SNI \|`), []bumpChange{
		{"helper", re(`^\S+:PORT \S+ - CONNECT \S+ sni=-`), "$0\n$0"},
	}},
}
