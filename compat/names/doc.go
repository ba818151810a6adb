// Package names takes from a configuration how host names are resolved: the dns_ directives,
// append_domain, hosts_file, and the system's resolv.conf where the configuration does not say.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; system files
// are read then. The result is the dnsasync.Config of every worker's resolver.
//
// The package resolves nothing.
package names
