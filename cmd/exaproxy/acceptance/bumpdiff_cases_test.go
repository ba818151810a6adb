package acceptance

import (
	"cmp"
	"strings"
)

// A bumpCase is the conversation of one client under one list of rules of ssl_bump.
type bumpCase struct {
	rules  string // ssl_bump's, with semicolons
	client string // of clientKinds; "" is TLS
	site   string // of siteKinds; "" is 1.3
	domain string // of the CONNECT's host; "" is good.test
	path   string // of the first request in the tunnel; "" is /
}

func (c bumpCase) String() string {
	return strings.Join([]string{c.rules, c.client, c.site, c.domain + c.path}, " | ")
}

// A bumpGroup are cases that can be tried with one start of a proxy.
type bumpGroup struct {
	name  string
	conf  string // what is configured besides
	cases []bumpCase
}

func bumpGroups() []bumpGroup {
	return []bumpGroup{
		{"rules", "", append(cases(bumpRules(), bumpCase{}, bumpCase{site: "1.2"}), bumpCases()...)},
		{"sslproxy_cert_error allow", "sslproxy_cert_error allow all\n",
			cases([]string{"bump all", "peek step1; bump all", "stare all", "peek all"},
				bumpCase{site: "expired"}, bumpCase{site: "self-signed"}, bumpCase{site: "misnamed"}, bumpCase{site: "expired 1.2"},
				bumpCase{client: "address"}, bumpCase{client: "other SNI"}, bumpCase{client: "other Host"})},
		{"sslproxy_cert_error with acls", "acl expired ssl_error X509_V_ERR_CERT_HAS_EXPIRED\nsslproxy_cert_error allow expired\nsslproxy_cert_error deny all\n" +
			"sslproxy_cert_adapt setValidAfter ssl::certHasExpired\nsslproxy_cert_adapt setCommonName ssl::certDomainMismatch\n",
			cases([]string{"bump all", "stare all", "peek all"},
				bumpCase{site: "expired"}, bumpCase{site: "self-signed"}, bumpCase{site: "misnamed"}, bumpCase{site: "expired 1.2"}, bumpCase{site: "misnamed 1.2"})},
		{"on_unsupported_protocol tunnel", "on_unsupported_protocol tunnel all\n",
			cases([]string{"bump all", "peek step1; splice all", "stare all", "peek step1; terminate all"},
				bumpCase{client: "HTTP", site: "http"}, bumpCase{client: "SSH", site: "ssh"}, bumpCase{client: "silent", site: "ssh"},
				bumpCase{client: "HTTP", domain: "denied.test"}, bumpCase{site: "ssh"})},
		{"on_unsupported_protocol tunnel by squid_error", "acl foreign squid_error ERR_PROTOCOL_UNKNOWN ERR_TOO_BIG\non_unsupported_protocol tunnel foreign\n" +
			"on_unsupported_protocol respond all\n",
			cases([]string{"peek step1; splice all"}, bumpCase{client: "HTTP", site: "http"}, bumpCase{client: "SSH", site: "ssh"}, bumpCase{client: "silent", site: "ssh"})},
	}
}

// cases are variants of all lists of rules.
func cases(rules []string, variants ...bumpCase) []bumpCase {
	var all []bumpCase
	for _, list := range rules {
		for _, c := range variants {
			all = append(all, bumpCase{list, cmp.Or(c.client, "TLS"), cmp.Or(c.site, "1.3"), cmp.Or(c.domain, "good.test"), cmp.Or(c.path, "/")})
		}
	}
	return all
}

// bumpRules are the lists that a plain client and good sites are tried with.
func bumpRules() []string {
	rules := []string{"", "splice all", "bump all", "terminate all", "none all", "peek all", "stare all", "client-first all", "server-first all"}
	rules = append(rules, bumpSteps()...)
	return append(rules,
		"peek step1; bump all", "peek step1; splice all", "peek step1; terminate all",
		"stare step1; bump all", "stare step1; splice all", "peek all; splice all", "stare all; bump all", "peek all; bump all",
		"splice named; bump all", "splice !named; bump all", "none named; server-first all",
		"peek step1; splice named; terminate all", "peek step1; splice !named; terminate all",
		"peek step1; splice pattern; bump all", "peek step1; bump pattern; splice all",
		"splice connected; bump all", "peek step1; splice requested; bump all", "splice provided; terminate all",
		"peek step1; peek step2; splice provided; terminate all", "peek step1; peek step2; terminate provided; splice all",
		"peek step1; stare step2; bump provided; terminate all", "peek step1; stare step2; terminate provided; bump all",
		"peek step1; peek step2; splice agreed; terminate all",
		"peek step1; stare step2; terminate fingered; bump all",
		"splice step2; bump step3; bump all", "bump step2", "terminate step2; bump step1", "splice step3; bump step1",
		"peek step1; splice anyname; bump all", "peek step1; splice nameless; bump all",
		"bump lowport; splice all",
	)
}

// bumpSteps are all actions at all steps.
func bumpSteps() []string {
	var rules []string
	for _, one := range []string{"peek step1", "stare step1"} {
		rules = append(rules, one)
		for _, two := range []string{"peek", "stare", "splice", "bump", "terminate", "none"} {
			two = one + "; " + two + " step2"
			rules = append(rules, two)
			if !strings.Contains(two, "peek step2") && !strings.Contains(two, "stare step2") {
				continue
			}
			for _, three := range []string{"peek", "stare", "splice", "bump", "terminate", "none"} {
				rules = append(rules, two+"; "+three+" step3")
			}
		}
	}
	return rules
}

// bumpCases are unusual clients, sites and verdicts, for a list of rules of each kind.
func bumpCases() []bumpCase {
	var variants []bumpCase
	for _, client := range []string{"TLS 1.2", "other SNI", "no SNI", "address", "address, no SNI", "HTTP", "SSH", "silent", "half a ClientHello", "other Host",
		"denied SNI", "address, denied SNI", "refused SNI", "address, refused SNI"} {
		variants = append(variants, bumpCase{client: client})
	}
	for _, site := range []string{"expired", "self-signed", "misnamed", "expired 1.2", "self-signed 1.2", "misnamed 1.2", "dead", "unresolved", "http", "ssh", "closes", "silent", "asks"} {
		variants = append(variants, bumpCase{site: site})
	}
	for _, domain := range []string{"denied.test", "sent.test", "reset.test", "refused.test", "helper302.test", "helperhttp.test", "moved.test"} {
		variants = append(variants, bumpCase{domain: domain})
	}
	for _, path := range []string{"/denied", "/sent", "/reset", "/helper302", "/helperhttp", "/helperhttps", "/helperpath"} {
		variants = append(variants, bumpCase{path: path})
	}
	variants = append(variants, bumpCase{site: "dead", domain: "denied.test"})
	for _, client := range []string{"HTTP", "SSH", "silent", "other SNI"} {
		variants = append(variants, bumpCase{client: client, domain: "denied.test"})
	}
	return cases([]string{
		"", "splice all", "bump all", "terminate all", "peek step1; splice all", "peek step1; bump all", "peek step1; terminate all",
		"stare step1; stare step2; bump all", "peek step1; peek step2; splice all", "server-first all",
	}, variants...)
}
