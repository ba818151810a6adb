//go:build profile

package main

import (
	"os"
	"runtime/pprof"
)

// profile writes to the file that EXAPROXY_PROFILE names where the program spends its time, until
// the returned function is called. "make profile" makes default.pgo from such files.
func profile() (end func()) {
	file, err := os.Create(os.Getenv("EXAPROXY_PROFILE"))
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		say(os.Stderr, "FATAL: EXAPROXY_PROFILE: "+err.Error())
		os.Exit(1)
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}
}
