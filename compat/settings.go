package compat

import (
	"time"

	"exaproxy/compat/acl"
	"exaproxy/compat/errpage"
	"exaproxy/compat/logformat"
	"exaproxy/dnsasync"
	"exaproxy/engine"
)

// Settings is what a configuration asks for, each directive in its own field. Load makes it and
// nobody changes it afterwards: the policies of all workers read the same one.
type Settings struct {
	// The program.

	Path        string    // the main file
	Service     string    // -n
	PIDFile     string    // pid_filename; "" for none
	CacheLog    string    // cache_log; "" for none
	Verbosity   Verbosity // debug_options
	User, Group string    // cache_effective_user, cache_effective_group; "" for the default
	CoreDir     string    // coredump_dir; "" to stay where we are
	Umask       int       // umask
	Descriptors int       // max_filedescriptors; 0 for as many as the system allows
	Rotate      int       // logfile_rotate

	// The engine.

	Ports    []engine.Port
	Workers  int // 0 if the file does not say
	Timeouts engine.Timeouts
	Limits   engine.Limits
	Names    dnsasync.Config
	Verdict  engine.ConnectVerdict

	HalfClosed          bool
	NoClientPersistence bool
	NoServerPersistence bool

	// The policy.

	VisibleName string // visible_hostname
	UniqueName  string // unique_hostname: our name in Via
	Via         bool
	Forwarded   Forwarded // forwarded_for
	HideVersion bool      // httpd_suppress_version_string
	Contact     string    // cache_mgr
	Rewriter    Rewriter
	ACLs        *acl.Set
	HTTPAccess  *acl.List
	DenyInfo    map[string]*Denial // by acl
	Errors      Errors
	Pages       *errpage.Pages    // those of Errors.Directory, or the built-in ones
	LocalPages  map[string][]byte // what is in Errors.Directory, by name, for file://NAME

	Formats     map[string]*logformat.Format // logformat, by name
	AccessLogs  []AccessLog
	StripQuery  bool // strip_query_terms
	MIMEHeaders bool // log_mime_hdrs
	Buffered    bool // buffered_logs

	hostsFile   string   // hosts_file; "none" for none
	nameServers []string // dns_nameservers, as written
	shutdown    time.Duration
}

// Shutdown is how long transactions may go on after a shutdown began (shutdown_lifetime).
func (s *Settings) Shutdown() time.Duration { return s.shutdown }

// Forwarded is what becomes of X-Forwarded-For (forwarded_for).
type Forwarded uint8

const (
	ForwardedOn          Forwarded = iota // the client's address is appended
	ForwardedOff                          // the word unknown is appended
	ForwardedTransparent                  // it is left as it is
	ForwardedDelete                       // it is removed
	ForwardedTruncate                     // it is replaced by the client's address
)

// A Rewriter is the url_rewrite_ directives.
type Rewriter struct {
	Argv        []string // url_rewrite_program; empty: nobody is asked
	Children    int
	Startup     int
	Idle        int
	Concurrency int
	QueueSize   int  // questions that may wait for a helper before the administrator is told
	PTY         bool // the helpers' output is a terminal, so that their stdio does not buffer it

	Access   *acl.List
	Bypass   bool // url_rewrite_bypass
	KeepHost bool // url_rewrite_host_header off
	Extras   *logformat.Format

	Overload  Overload
	Timeout   time.Duration
	OnTimeout OnTimeout
	Response  string // of OnTimeout ConfiguredResponse

	Crash, Broken, Invalid Fault // url_rewrite_failure: crash=, bh=, invalid=

	sized bool // queue-size= was given
}

// Overload is what becomes of new requests when the helpers have been overloaded for long
// (on-persistent-overload).
type Overload uint8

const (
	OverloadLoud   Overload = iota // die: said loudly; the program never ends for it
	OverloadBypass                 // ERR: they pass unchanged
)

// OnTimeout is what becomes of a request whose question was not answered in time.
type OnTimeout uint8

const (
	TimeoutFail OnTimeout = iota
	TimeoutBypass
	TimeoutRetry
	TimeoutResponse
)

// Fault is what becomes of a request that the helpers could not answer (url_rewrite_failure).
type Fault uint8

const (
	Deny Fault = iota
	Pass
)

// Errors is what the error pages look like.
type Errors struct {
	Directory  string // error_directory; "" for the built-in pages
	Stylesheet string // what is in err_page_stylesheet; "" for the built-in one
	Text       string // err_html_text, HTML
	MailData   bool   // email_err_data

	stylesheet string // err_page_stylesheet
}

// An AccessLog is one access_log line.
type AccessLog struct {
	Path   string // "" for none: the lines after it do not log what its acls match
	Format *logformat.Format
	Access *acl.List // nil: every transaction
	Rotate int       // rotate=; -1: as logfile_rotate
}

// defaultSettings are Squid 5.7's, as Debian builds it, where the file says nothing.
func defaultSettings() *Settings {
	s := &Settings{
		PIDFile:   "/run/squid.pid",
		CacheLog:  "/var/log/squid/cache.log",
		Verbosity: Verbosity{All: 1},
		Umask:     0o027,
		Rotate:    10,

		Via:        true,
		Contact:    "webmaster",
		Rewriter:   Rewriter{Children: 20, Idle: 1, Broken: Pass, Invalid: Pass},
		ACLs:       acl.NewSet(),
		DenyInfo:   make(map[string]*Denial),
		Formats:    make(map[string]*logformat.Format),
		StripQuery: true,
		Errors:     Errors{MailData: true},

		hostsFile: "/etc/hosts",
		shutdown:  30 * time.Second,
	}
	s.HTTPAccess = s.ACLs.NewList("http_access", acl.Deny)
	s.Rewriter.Access = s.ACLs.NewList("url_rewrite_access", acl.Allow)
	return s
}
