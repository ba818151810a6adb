// Package compat is Squid's world around the engine: it makes of a squid.conf what the engine
// wants to know, and answers, request by request, what the engine may not decide by itself.
//
// This folder only puts together, and says in which order. What is followed is followed by the
// features, each a folder: it owns some directives, takes them into its Settings, and has the part
// of the policy that follows them.
//
//	program     pid_filename, workers …     access      acl, http_access, deny_info
//	ports       http_port                   manager     requests for the cache manager
//	connection  timeouts, sizes …           redirector  url_rewrite_*
//	names       dns_*, hosts_file           headers     via, forwarded_for …
//	logs        cache_log, access_log …     errpage     error_directory …
//
// Below the features are directive (what their setters share), decision (what a decision points
// to), and those that know a language of Squid's: conf (squid.conf), acl, rewrite (lines to and
// from helpers), logformat. No feature imports another, but errpage, which makes their pages.
//
// Command exaproxy calls this package on the main goroutine: Load reads a configuration, at the
// start, for -k, and at each reconfiguration; Settings.Engine opens the access logs and gives the
// engine.Config; Setup.Commit follows once the engine has it. The policies that the engine makes
// are called by its workers, each on its worker's goroutine.
//
// Settings live as long as anything was begun under them: they are made by Load, never changed,
// and shared by the policies of all workers. A policy holds the log files that it writes until
// its Close, so a transaction that began before a reconfiguration is logged where it would have
// been. What is kept of a request is a requestState, taken when the request is admitted and
// used again after it was recorded; an ordinary request costs no memory.
//
// The package opens no sockets and runs no helpers, knows nothing of HTTP's framing, and never
// decides what a directive means in two places: conf says whether it is followed, one setter
// takes it into a field of its feature's Settings, and that feature's policy follows it.
//
//	log := logs.NewCacheLog(logs.CacheLogOptions{Stderr: os.Stderr, StderrLevel: 0})
//	settings, err := compat.Load("/etc/squid/squid.conf", compat.Overrides{Say: log.Say})
//	…
//	files := logs.NewFiles(log, nil)
//	setup, err := settings.Engine(log, files)
//	…
//	e, err := engine.New(setup.Config)
//	…
//	setup.Commit()
//	err = e.Run(ctx)
//	setup.Close()
//	files.Close()
package compat
