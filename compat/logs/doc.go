// Package logs writes the logs: cache.log, where the proxy says what it does, access logs, which have a
// line for each transaction, and the secrets of TLS for who has to look into it. It owns the directives cache_log,
// debug_options, access_log, logfile_daemon, tls_key_log, tunnel_log, logformat, logfile_rotate, strip_query_terms,
// log_mime_hdrs, client_netmask and buffered_logs.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not
// change afterwards. Command exaproxy opens the cache log and opens, rotates and closes Files, on
// the main goroutine. A Policy is one worker's: LogReady and Record are called on its goroutine
// when a transaction ends.
//
// CacheLog, File and Stream are for any goroutine. Each File and Stream has a goroutine of its own: it
// writes, rotates and closes, and is the only thing here, but for opening, that waits for a disk or
// for the reader of a pipe. No lock is held meanwhile. Whoever controls waits for it no longer than
// two seconds. Opening and using are two steps, so that a reconfiguration
// may still be given up when a file cannot be opened: nothing is written differently before
// UseCacheLog and OpenedLogs.Commit.
//
// How a line looks is package logformat's business. What goes elsewhere than to a file is handed to an outlet, on the log's
// goroutine too, and nobody waits for that.
package logs
