module exaproxy

go 1.26.0

require (
	github.com/creack/pty v1.1.24
	github.com/miekg/dns v1.1.73
	github.com/spf13/pflag v1.0.10
	golang.org/x/sys v0.49.0
	golang.org/x/tools v0.52.0
)

require golang.org/x/net v0.61.0 // indirect
