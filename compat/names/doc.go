// Package names takes from a configuration how host names are resolved: the dns_ directives,
// append_domain, hosts_file, and the system's resolv.conf where the configuration does not say.
// And it gives clients their names (client_names).
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; system files
// are read then. The result is the dnsasync.Config of every worker's resolver. A Policy belongs to a
// worker's goroutine; nobody waits for what it looks up.
package names
