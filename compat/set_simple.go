package compat

import (
	"fmt"
	"strings"
	"time"

	"exaproxy/compat/conf"
	"exaproxy/engine"
	"exaproxy/engine/h1"
)

// A setter takes the line of one directive into the settings. Its error is worded for the line;
// it may say things through the reading.
type setter func(r *reading, l *conf.Line) error

// setters are by the directive's name, the one of its row in conf.Table. Each directive that the
// table calls done has one.
var setters = map[string]setter{
	// the program
	"pid_filename":                         text(func(s *Settings) *string { return &s.PIDFile }),
	"cache_log":                            text(func(s *Settings) *string { return &s.CacheLog }),
	"debug_options":                        setDebugOptions,
	"cache_effective_user":                 text(func(s *Settings) *string { return &s.User }),
	"cache_effective_group":                text(func(s *Settings) *string { return &s.Group }),
	"coredump_dir":                         text(func(s *Settings) *string { return &s.CoreDir }),
	"umask":                                number(func(s *Settings) *int { return &s.Umask }),
	"max_filedescriptors":                  number(func(s *Settings) *int { return &s.Descriptors }),
	"logfile_rotate":                       number(func(s *Settings) *int { return &s.Rotate }),
	"workers":                              number(func(s *Settings) *int { return &s.Workers }),
	"configuration_includes_quoted_values": func(*reading, *conf.Line) error { return nil }, // conf obeys it

	// time
	"request_start_timeout":     wait(func(s *Settings) *time.Duration { return &s.Timeouts.RequestStart }),
	"request_timeout":           wait(func(s *Settings) *time.Duration { return &s.Timeouts.Request }),
	"client_idle_pconn_timeout": wait(func(s *Settings) *time.Duration { return &s.Timeouts.ClientIdle }),
	"connect_timeout":           wait(func(s *Settings) *time.Duration { return &s.Timeouts.Connect }),
	"forward_timeout":           wait(func(s *Settings) *time.Duration { return &s.Timeouts.Forward }),
	"read_timeout":              wait(func(s *Settings) *time.Duration { return &s.Timeouts.Read }),
	"write_timeout":             wait(func(s *Settings) *time.Duration { return &s.Timeouts.Write }),
	"server_idle_pconn_timeout": wait(func(s *Settings) *time.Duration { return &s.Timeouts.ServerIdle }),
	"client_lifetime":           wait(func(s *Settings) *time.Duration { return &s.Timeouts.Lifetime }),
	"pconn_lifetime":            duration(time.Second, func(s *Settings) *time.Duration { return &s.Timeouts.PconnLife }),
	"shutdown_lifetime":         duration(time.Second, func(s *Settings) *time.Duration { return &s.shutdown }),

	// size and number
	"request_header_max_size":   size(func(s *Settings, n int64) { s.Limits.RequestHead = int(max(n, 0)) }),
	"reply_header_max_size":     size(func(s *Settings, n int64) { s.Limits.ReplyHead = int(max(n, 0)) }),
	"request_body_max_size":     size(func(s *Settings, n int64) { s.Limits.RequestBody = max(n, 0) }),
	"forward_max_tries":         number(func(s *Settings) *int { return &s.Limits.ForwardTries }),
	"client_ip_max_connections": setConnectionsPerClient,

	// HTTP
	"uri_whitespace":                setWhitespace,
	"relaxed_header_parser":         setRelaxed,
	"client_persistent_connections": unless(func(s *Settings) *bool { return &s.NoClientPersistence }),
	"server_persistent_connections": unless(func(s *Settings) *bool { return &s.NoServerPersistence }),
	"half_closed_clients":           onOff(func(s *Settings) *bool { return &s.HalfClosed }),
	"connect_verdict":               setVerdict,
	"via":                           onOff(func(s *Settings) *bool { return &s.Via }),
	"forwarded_for":                 setForwarded,
	"visible_hostname":              text(func(s *Settings) *string { return &s.VisibleName }),
	"unique_hostname":               text(func(s *Settings) *string { return &s.UniqueName }),
	"httpd_suppress_version_string": onOff(func(s *Settings) *bool { return &s.HideVersion }),
	"cache_mgr":                     text(func(s *Settings) *string { return &s.Contact }),

	// names
	"dns_nameservers":         setNameServers,
	"dns_timeout":             duration(time.Millisecond, func(s *Settings) *time.Duration { return &s.Names.Timeout }),
	"dns_retransmit_interval": duration(time.Millisecond, func(s *Settings) *time.Duration { return &s.Names.Retransmit }),
	"dns_defnames":            onOff(func(s *Settings) *bool { return &s.Names.Defnames }),
	"append_domain":           setAppendDomain,
	"hosts_file":              text(func(s *Settings) *string { return &s.hostsFile }),
	"positive_dns_ttl":        keep(func(s *Settings) *time.Duration { return &s.Names.MaxTTL }),
	"negative_dns_ttl":        keep(func(s *Settings) *time.Duration { return &s.Names.NegativeTTL }),

	// access
	"http_port":   setPort,
	"acl":         setACL,
	"http_access": setHTTPAccess,
	"deny_info":   setDenyInfo,
	// pages
	"error_directory":     text(func(s *Settings) *string { return &s.Errors.Directory }),
	"err_page_stylesheet": text(func(s *Settings) *string { return &s.Errors.stylesheet }),
	"err_html_text":       setErrorText,
	"email_err_data":      onOff(func(s *Settings) *bool { return &s.Errors.MailData }),

	// helpers
	"url_rewrite_program":     setRewriteProgram,
	"url_rewrite_children":    setRewriteChildren,
	"url_rewrite_concurrency": setRewriteConcurrency,
	"redirect_concurrency":    setRewriteConcurrency,
	"url_rewrite_access":      setRewriteAccess,
	"url_rewrite_bypass":      onOff(func(s *Settings) *bool { return &s.Rewriter.Bypass }),
	"url_rewrite_host_header": unless(func(s *Settings) *bool { return &s.Rewriter.KeepHost }),
	"url_rewrite_extras":      setRewriteExtras,
	"url_rewrite_timeout":     setRewriteTimeout,
	"url_rewrite_failure":     setRewriteFailure,

	// logs
	"access_log":        setAccessLog,
	"logformat":         setLogFormat,
	"strip_query_terms": onOff(func(s *Settings) *bool { return &s.StripQuery }),
	"log_mime_hdrs":     onOff(func(s *Settings) *bool { return &s.MIMEHeaders }),
	"buffered_logs":     onOff(func(s *Settings) *bool { return &s.Buffered }),
}

// text sets a word; "none" where Squid means nothing by it is the caller's to know.
func text(field func(*Settings) *string) setter {
	return func(r *reading, l *conf.Line) error {
		word, err := r.args(l).String()
		if err == nil {
			*field(r.settings) = word
		}
		return err
	}
}

func onOff(field func(*Settings) *bool) setter {
	return func(r *reading, l *conf.Line) error {
		on, err := r.args(l).Bool()
		if err == nil {
			*field(r.settings) = on
		}
		return err
	}
}

// unless sets a field whose meaning is the opposite of the directive's.
func unless(field func(*Settings) *bool) setter {
	return func(r *reading, l *conf.Line) error {
		on, err := r.args(l).Bool()
		if err == nil {
			*field(r.settings) = !on
		}
		return err
	}
}

func number(field func(*Settings) *int) setter {
	return func(r *reading, l *conf.Line) error {
		n, err := r.args(l).Int()
		if err == nil && n < 0 {
			err = conf.Invalid{fmt.Sprintf("ERROR: the value of %s cannot be less than 0", l.Name)}
		}
		if err == nil {
			*field(r.settings) = n
		}
		return err
	}
}

func duration(least time.Duration, field func(*Settings) *time.Duration) setter {
	return func(r *reading, l *conf.Line) error {
		d, err := r.args(l).Time(least)
		if err == nil {
			*field(r.settings) = d
		}
		return err
	}
}

// wait sets a timeout of the engine, where zero asks for the default: no time at all is the
// shortest there is.
func wait(field func(*Settings) *time.Duration) setter {
	return func(r *reading, l *conf.Line) error {
		d, err := r.args(l).Time(time.Second)
		if err == nil {
			*field(r.settings) = max(d, time.Nanosecond)
		}
		return err
	}
}

// keep sets a lifetime of the resolver, where zero asks for the default.
func keep(field func(*Settings) *time.Duration) setter {
	return wait(field)
}

func size(set func(*Settings, int64)) setter {
	return func(r *reading, l *conf.Line) error {
		n, err := r.args(l).Size("bytes")
		if err == nil {
			set(r.settings, n)
		}
		return err
	}
}

func setDebugOptions(r *reading, l *conf.Line) error {
	token, _ := r.args(l).Word()
	v, err := ParseVerbosity(token.Text)
	if err == nil {
		r.settings.Verbosity = v
	}
	return err
}

// setConnectionsPerClient takes the value that limits nothing, and refuses the others.
func setConnectionsPerClient(r *reading, l *conf.Line) error {
	n, err := r.args(l).Int()
	if err == nil && n >= 0 {
		err = conf.Invalid{"ERROR: connections are not counted by client yet; only -1, no limit, can be followed"}
	}
	return err
}

func setWhitespace(r *reading, l *conf.Line) error {
	words := map[string]h1.Whitespace{"strip": h1.Strip, "deny": h1.Deny, "allow": h1.Allow, "encode": h1.Encode, "chop": h1.Chop}
	word, err := r.args(l).String()
	if err != nil {
		return err
	}
	w, ok := words[strings.ToLower(word)]
	if !ok {
		return conf.Invalid{fmt.Sprintf("ERROR: parse_uri_whitespace: Invalid option '%s': 'uri_whitespace' accepts strip, deny, allow, encode and chop", word)}
	}
	r.settings.Limits.Whitespace = w
	return nil
}

func setRelaxed(r *reading, l *conf.Line) error {
	t, err := r.args(l).Tristate()
	if err == nil {
		r.settings.Limits.StrictHeads = t == conf.Off
	}
	return err
}

func setVerdict(r *reading, l *conf.Line) error {
	word, err := r.args(l).Choice("ERROR: connect_verdict: '%s' is not page, redirect or close", "page", "redirect", "close")
	switch word {
	case "page":
		r.settings.Verdict = engine.ConnectPage
	case "redirect":
		r.settings.Verdict = engine.ConnectRedirect
	case "close":
		r.settings.Verdict = engine.ConnectClose
	}
	return err
}

func setForwarded(r *reading, l *conf.Line) error {
	words := map[string]Forwarded{"on": ForwardedOn, "off": ForwardedOff, "transparent": ForwardedTransparent,
		"delete": ForwardedDelete, "truncate": ForwardedTruncate}
	word, err := r.args(l).String()
	if err != nil {
		return err
	}
	f, ok := words[word]
	if !ok {
		return conf.Invalid{fmt.Sprintf("ERROR: invalid value '%s' for forwarded_for", word)}
	}
	r.settings.Forwarded = f
	return nil
}

// setNameServers takes a list; repeated lines append to it.
func setNameServers(r *reading, l *conf.Line) error {
	args := r.args(l)
	for {
		token, ok := args.Word()
		if !ok {
			break
		}
		r.settings.nameServers = append(r.settings.nameServers, token.Text)
	}
	if len(r.settings.nameServers) == 0 {
		return conf.Invalid(nil)
	}
	return nil
}

func setAppendDomain(r *reading, l *conf.Line) error {
	word, err := r.args(l).String()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(word, ".") {
		return conf.Invalid{fmt.Sprintf("FATAL: append_domain: '%s' must begin with a '.'", word)}
	}
	r.settings.Names.AppendDomain = word
	return nil
}
