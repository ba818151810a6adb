// Package compat is Squid's world around the engine: it makes of a squid.conf what the engine
// wants to know, and answers, request by request, what the engine may not decide by itself.
//
// Command exaproxy calls it on the main goroutine: Load reads a configuration, at the start, for
// -k, and at each reconfiguration; Settings.Engine opens the logs and gives the engine.Config.
// The policies that the engine then makes are called by its workers, each on its worker's
// goroutine. CacheLog and LogFile are for any goroutine; each LogFile has one of its own, which
// is the only thing here that waits for a disk.
//
// Settings live as long as anything was begun under them: they are made by Load, never changed,
// and shared by the policies of all workers. A policy holds the log files that it writes until
// its Close, so a transaction that began before a reconfiguration is logged where it would have
// been. What a policy remembers of a request is a visit, taken when the request is admitted and
// used again after it was recorded; an ordinary request costs no memory.
//
// The package opens no sockets and runs no helpers, knows nothing of HTTP's framing, and never
// decides what a directive means in two places: conf says whether it is followed, one setter
// takes it into its field of Settings, and one method of the policy obeys it.
//
//	log := compat.NewCacheLog(compat.CacheLogOptions{Stderr: os.Stderr, StderrLevel: 0})
//	settings, err := compat.Load("/etc/squid/squid.conf", compat.Overrides{Say: log.Say})
//	…
//	logs := compat.NewLogs(log, nil)
//	setup, err := settings.Engine(logs)
//	…
//	e, err := engine.New(setup.Config)
//	…
//	err = e.Run(ctx)
//	setup.Close()
//	logs.Close()
package compat
