package conf

// tableOtherVersions holds what Squid 5.7 does not know but other versions do. Most of it was left
// behind by upgrades.
var tableOtherVersions = []Directive{
	{Name: "httpd_accel_host", Type: "string", Treat: NotYet, Harmful: true, OnlyIn: "up to 2.5", Note: "write the option 'intercept' or 'accel' of http_port"},
	{Name: "httpd_accel_port", Type: "u_short", Treat: NotYet, Harmful: true, OnlyIn: "up to 2.5", Note: "write the option 'intercept' or 'accel' of http_port"},
	{Name: "httpd_accel_single_host", Type: "onoff", Treat: NotYet, Harmful: true, NoOp: []string{"off"}, OnlyIn: "up to 2.5", Note: "write cache_peer with the option 'originserver', and accel with no-vhost"},
	{Name: "httpd_accel_with_proxy", Type: "onoff", Treat: NotYet, Harmful: true, NoOp: []string{"on"}, OnlyIn: "up to 2.5", Note: "write an http_port for each purpose"},
	{Name: "httpd_accel_uses_host_header", Type: "onoff", Treat: Accepted, OnlyIn: "up to 2.5", Note: "write the option 'accel' of http_port, by which it is so"},
	{Name: "authenticate_program", Type: "wordlist", Words: Strings, Treat: NotYet, Harmful: true, OnlyIn: "up to 2.4", Note: "write auth_param basic program"},
	{Name: "authenticate_children", Type: "int", Treat: Accepted, OnlyIn: "up to 2.4", Note: oldAuth},
	{Name: "proxy_auth_realm", Type: "eol", Words: ToEnd, Treat: Accepted, OnlyIn: "up to 2.4", Note: oldAuth},
	{Name: "authenticate_ip_shortcircuit_ttl", Type: "time_t", Treat: Accepted, OnlyIn: "2.7", Note: noShortcircuit},
	{Name: "authenticate_ip_shortcircuit_access", Type: "acl_access", Treat: Accepted, OnlyIn: "2.7", Note: noShortcircuit},
	{Name: "anonymize_headers", Type: "eol", Words: ToEnd, Treat: NotYet, Harmful: true, OnlyIn: "up to 2.4", Note: "request_header_access takes fields out"},
	{Name: "http_anonymizer", Type: "string", Treat: NotYet, Harmful: true, NoOp: []string{"off"}, OnlyIn: "up to 2.2", Note: "request_header_access takes fields out"},
	{Name: "fake_user_agent", Type: "eol", Words: ToEnd, Treat: NotYet, Harmful: true, OnlyIn: "up to 2.4", Note: "request_header_access and request_header_replace put another in its place"},
	{Name: "cache_dns_program", Type: "string", Treat: Accepted, OnlyIn: "up to 3.4", Note: "name servers are asked without a helper"},
	{Name: "dns_children", Type: "HelperChildConfig", Treat: Accepted, OnlyIn: "up to 3.4", Note: "name servers are asked without a helper"},
	{Name: "minimum_retry_timeout", Type: "time_t", Treat: Accepted, OnlyIn: "up to 2.5", Note: "connect_timeout alone bounds a try"},
	{Name: "siteselect_timeout", Type: "time_t", Treat: Accepted, OnlyIn: "up to 2.5", Note: noICP},
	{Name: "wccp_incoming_address", Type: "address", Treat: Accepted, OnlyIn: "2.5 to 2.7", Note: noWCCP},
	{Name: "wccp_outgoing_address", Type: "address", Treat: Accepted, OnlyIn: "2.5 to 2.7", Note: noWCCP},
	{Name: "snmp_community", Type: "string", Treat: Accepted, OnlyIn: "up to 2.2", Note: noSNMP},
	{Name: "redirect_concurrency", Type: "int", Treat: Done, OnlyIn: "2.6 to 3.1", Note: "write concurrency= in url_rewrite_children instead"},
	{Name: "storeurl_access", Type: "acl_access", Treat: Accepted, Cache: true, OnlyIn: "2.7 to 3.3", Note: noCache},
	{Name: "storeurl_rewrite_concurrency", Type: "int", Treat: Accepted, Cache: true, OnlyIn: "2.7 to 3.3", Note: noCache},
	{Name: "cache_log_message", Type: "cache_log_message", Treat: NotYet, Since: Squid6, OnlyIn: "6 and 7", Note: "messages of cache.log cannot be chosen one by one"},
	{Name: "paranoid_hit_validation", Type: "time_nanoseconds", Treat: Accepted, Cache: true, Since: Squid6, OnlyIn: "6 and 7", Note: noCache},
	{Name: "tls_key_log", Type: "access_log", Treat: Done, Since: Squid6, OnlyIn: "6 and 7", Note: "the secrets of all TLS that the proxy speaks, for Wireshark; places as of access_log, and the option rotate=; acls ('if') are refused"},
}
