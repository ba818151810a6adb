// Blocklist is a url_rewrite_program: it judges requests by categories of domains, URLs and
// expressions, kept in folders as squidGuard keeps them.
//
//	usage: blocklist -c CONFIGURATION                        answer what comes on standard input
//	       blocklist -c CONFIGURATION -check URL [-client ADDRESS] [-user NAME] [-at TIME]
//	       blocklist -c CONFIGURATION -bench                 how fast, how large
//
// README.md describes the configuration. One process answers any number of channels
// (concurrency=). One goroutine reads, judges and answers; a second one looks for changed files
// and builds the new list beside the one in use, which it then replaces in one step.
package main

import (
	"flag"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0) // the proxy's log, which standard error is, has its own times
	log.SetPrefix("blocklist: ")
	path := flag.String("c", "/etc/blocklist.conf", "the configuration `file`")
	var ask asked
	flag.StringVar(&ask.url, "check", "", "say what becomes of a `URL`, or of the host:port of a CONNECT, and why")
	flag.StringVar(&ask.client, "client", "127.0.0.1", "with -check: the client's `address`")
	flag.StringVar(&ask.user, "user", "-", "with -check: the user's `name`")
	flag.StringVar(&ask.at, "at", "", "with -check: the `time`, as 2026-11-30T09:00; now, if not given")
	bench := flag.Bool("bench", false, "measure loading and answering")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	// The list is one large allocation without pointers: what is collected is little, and may not
	// wait until as much again has gathered.
	debug.SetGCPercent(25)

	began := time.Now()
	l, err := load(*path)
	if err != nil {
		log.Fatal(err)
	}
	switch {
	case ask.url != "":
		if err := check(os.Stdout, l, ask); err != nil {
			log.Fatal(err)
		}
	case *bench:
		measure(os.Stdout, l, time.Since(began))
	default:
		run(*path, l)
	}
}

// run answers until the proxy ends the input.
func run(path string, l *list) {
	for _, w := range l.warnings {
		log.Print(w)
	}
	s := &server{}
	s.current.Store(l)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go s.watch(path, l, hangup, time.NewTicker(l.conf.checkEvery).C, log.Print)
	if err := s.serve(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}
