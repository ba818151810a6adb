package main

import (
	"fmt"
	"io"
	"strings"
)

const usageText = `Usage: %s [-hvzCDFNRSXYmir] [-d level] [-n name] [-s | -l facility] [-f file] [-[au] port] [-k order]
       %s --try[=REDIRECTOR]
       %s make-ca DIR
       %s helper-test [OPTIONS] [FILE] [-f file | -- PROGRAM ARGS]
       %s explain [OPTIONS] URL [-f file]
       %s check-config [OPTIONS] [-f file]

     -h | --help       This text.
     -v | --version    The version.

       -a port   One more http_port.
       -d level  Messages up to this level go to standard error too.
       -f file   The configuration file. Otherwise the first of these that is there:
                 %s
       -k reconfigure|rotate|shutdown|restart|interrupt|kill|debug|check|parse
                 Read the configuration, give the order to the running proxy, and exit.
                 parse gives no order: it shows what was read.
       -n name   The service name, for ${service_name}: squid if not given.
       -z        Would create cache directories: there is no cache. Exit.
       -N        Stay in the foreground, without a parent that would start the proxy again.
       --foreground
                 Stay in the foreground, with a parent.
       -X        Messages of every level.
       --try[=REDIRECTOR]
                 Serve 127.0.0.1:3128 (or what -a says) without any configuration file, in
                 the foreground, asking the given redirector about each URL.
       make-ca DIR
                 Make a certificate authority in DIR, under which browsers can be shown pages
                 for https:// sites, and say how to install it. Exit.
       helper-test
                 Try a helper program: what it answers, what the proxy would do, how fast it is,
                 and what is wrong with how it speaks. helper-test --help says more.
       check-config
                 Tell what becomes of each line of a configuration, and try its helpers and ports.
                 check-config --help says more.
       explain   Tell what the proxy would do with a request, and why. explain --help says more.

Taken for Squid's sake, without effect: -s -l -u -C -D -F -R -S -Y -O -m -i -r --kid.
`

// usage prints the text; Squid does so on standard error and calls it a failure.
func usage(to io.Writer, program string) {
	fmt.Fprintf(to, usageText, program, program, program, program, program, program, strings.Join(configPaths[:], " "))
}
