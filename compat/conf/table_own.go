package conf

// tableOwn holds the directives that Squid does not have. They may also be written behind
// "#exaproxy", so that one file serves both proxies.
var tableOwn = []Directive{
	{Name: "acl_helper_timeout", Type: "TIME", Treat: Done, Own: true, Default: "2 minutes", Note: "for how long a helper of authentication or of an external acl may be silent before it is replaced, and its question is refused; of several (`concurrency`) each is asked once more, alone; 0: for ever, as in Squid"},
	{Name: "client_names", Type: "on|off", Treat: Done, Own: true, Default: "on", Note: "whether the names of clients are looked up for %>A, where it is used; off: only the address is told"},
	{Name: "connect_tls", Type: "allow|deny ACL…", Treat: Done, Own: true, Default: "allow port 443", Note: "for which CONNECT requests connect_verdict auto expects the client to speak TLS in its tunnel"},
	{Name: "connect_verdict", Type: "auto|bump|page|redirect|close", Treat: Done, Own: true, Default: "auto", Note: "how a client that asked for a tunnel learns that it is redirected or refused"},
	{Name: "fitted_pages", Type: "on|off", Treat: Done, Own: true, Default: "off", Note: "whether a blocked image, script, style sheet, frame or request for JSON gets an empty one in place of an error page, with the same status"},
	{Name: "guard", Type: "on|off", Treat: Done, Own: true, Default: "on", Note: "whether clients are kept from our own ports, from link-local addresses and from those where clouds keep secrets, unless an http_access line that allows them names the address by a dst acl"},
	{Name: "helper_line_max", Type: "NUMBER", Treat: Done, Own: true, Default: "8191", Note: "bytes of the longest line that helpers are given; 0: any length"},
	{Name: "http09", Type: "allow|deny", Treat: Done, Own: true, Default: "allow", Note: "what becomes of replies that begin with no head: they get one (`X-Transformed-From: HTTP/0.9`), and those that begin with `ICY` are relayed as such, as in Squid; or they are refused (502)"},
	{Name: "keep_helpers", Type: "on|off", Treat: Done, Own: true, Default: "off", Note: "a reconfiguration that does not change the helpers keeps them; otherwise new ones are started, as in Squid"},
	{Name: "prefer_family", Type: "any|ipv4|ipv6", Treat: Done, Own: true, Default: "any", Note: "which addresses of a server that has both are tried first: ipv4 is what dns_v4_first on was until Squid 4; any: of the family that the name server tells first, as in Squid 5. The other family is tried in turn, 250 ms later"},
	{Name: "proxy_protocol_out", Type: "v1|v2|none [ACL…]", Treat: Done, Own: true, Default: "none", Note: "whether next hops are told, by a PROXY header before all else, who the client is and which address of ours it has connected to; the first line that matches counts, and such a connection serves no other client's"},
	{Name: "report_only", Type: "[helper] [ACL…]", Treat: Done, Own: true, Default: "none", Note: "what the helpers of url_rewrite_program or reqmod_program answer, and what http_access lines deny that end in these acls, is not done but noted (%report_only, the note report_only); a later line must allow what passes"},
	{Name: "reqmod_access", Type: "allow|deny ACL…", Treat: Done, Own: true, Default: "allow all", Note: "which requests are put to reqmod_program"},
	{Name: "reqmod_bypass", Type: "on|off", Treat: Done, Own: true, Default: "off", Note: "whether requests pass unasked when the helpers of reqmod_program are all busy"},
	{Name: "reqmod_children", Type: "NUMBER [startup=N] [idle=N] [queue-size=N] [on-persistent-overload=die|ERR] [pty]", Treat: Done, Own: true, Default: "20 startup=0 idle=1", Note: "as url_rewrite_children; a block has no channel number, so there is no concurrency"},
	{Name: "reqmod_failure", Type: "crash=deny|pass invalid=deny|pass target=deny|pass", Treat: Done, Own: true, Default: "crash=deny invalid=deny target=deny", Note: "as url_rewrite_failure, for helpers of reqmod_program"},
	{Name: "reqmod_program", Type: "PROGRAM [ARGUMENT…]", Words: Strings, Treat: Done, Own: true, Default: "none", Note: "helpers that speak ExaProxy 1.x's REQMOD blocks; not beside url_rewrite_program"},
	{Name: "reqmod_timeout", Type: "TIME [on_timeout=fail|bypass|retry]", Treat: Done, Own: true, Default: "0", Note: "as url_rewrite_timeout, for helpers of reqmod_program"},
	{Name: "reqmod_uri", Type: "icap://HOST/PATH", Treat: Done, Own: true, Default: "icap://localhost/reqmod", Note: "what stands in the first line of each block"},
	{Name: "squid_version", Type: "5.7|6|7", Treat: Done, Own: true, Default: "5.7", Note: "the Squid whose ways are followed where versions differ; it counts for the whole file: docs/squid_versions.md"},
	{Name: "tunnel_check", Type: "on|off", Treat: Done, Own: true, Default: "off", Note: "whether a tunnel must begin with a TLS ClientHello for the host of the CONNECT"},
	{Name: "tunnel_check_access", Type: "allow|deny ACL…", Treat: Done, Own: true, Default: "allow SSL_ports", Note: "which tunnels tunnel_check looks at; without an acl SSL_ports those to port 443"},
	{Name: "tunnel_log", Type: "TIME", Treat: Done, Own: true, Default: "0", Note: "after which time of a tunnel that is open there is a line of it in access.log, `TCP_TUNNEL_OPEN`, and another each such time later; 0: one line, at its end"},
	{Name: "url_rewrite_failure", Type: "crash=deny|pass bh=pass|deny invalid=pass|deny target=deny|pass long=deny|pass", Treat: Done, Own: true, Default: "crash=deny bh=pass invalid=pass target=deny long=deny", Note: "what becomes of a request that the helpers could not answer"},
	{Name: "url_rewrite_headers", Type: "on|off", Treat: Done, Own: true, Default: "off", Note: "whether answers of redirectors change header fields: OK set-header=\"Name: value\" del-header=Name; url_rewrite_children headers=on is the same"},
}
