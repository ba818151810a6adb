package main

import (
	"fmt"
	"io"
	"runtime"

	"exaproxy/compat/headers"
)

// version is this program's. The version of Squid whose ways it follows is headers.SquidVersion.
const version = "2.0.0"

// printVersion prints what scripts look for in Squid's answer, and who it really is: the fourth
// word of the first line is the version of Squid that this one is compatible with.
func printVersion(to io.Writer, service string) {
	fmt.Fprintf(to, "Squid Cache: Version %s (compatible; ExaProxy %s)\n", headers.SquidVersion, version)
	fmt.Fprintf(to, "Service Name: %s\n", serviceName(service))
	fmt.Fprintf(to, "built with %s for %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// serviceName is -n, or Squid's default.
func serviceName(service string) string {
	if service == "" {
		return "squid"
	}
	return service
}
