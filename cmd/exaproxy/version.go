package main

import (
	"fmt"
	"io"
	"runtime"

	"exaproxy/compat"
	"exaproxy/compat/conf"
)

// version is this program's. The version of Squid whose ways it follows is the configuration's affair (squid_version).
const version = "2.0.0"

// printVersion prints what scripts look for in Squid's answer, and who it really is: the fourth
// word of the first line is the version of Squid that this one is compatible with, by the configuration if that can be read.
func printVersion(to io.Writer, o *options) {
	lines, _ := conf.Parse(o.configuration(), conf.Options{Open: readWith(nil), Glob: matchWith(nil), Macros: compat.Macros(o.service, false), Whole: true})
	fmt.Fprintf(to, "Squid Cache: Version %s (compatible; ExaProxy %s)\n", conf.VersionOf(lines).Release(), version)
	fmt.Fprintf(to, "Service Name: %s\n", serviceName(o.service))
	fmt.Fprintf(to, "built with %s for %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// serviceName is -n, or Squid's default.
func serviceName(service string) string {
	if service == "" {
		return "squid"
	}
	return service
}
