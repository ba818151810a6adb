// Package intercept judges requests of clients that have never heard of a proxy: the packet filter diverts their
// connections to a port that is intercepting (NAT) or one of tproxy. The directives are host_verify_strict,
// client_dst_passthru and spoof_client_ip.
//
// What such a client wants is said twice: by the address that it connected to, which the kernel has kept, and by Host,
// or by the name in its ClientHello. Who writes another name there than leads to the address would have the filter judge
// one server and reach another (CVE-2009-0801). So each name is looked up. Where it does not lead to the address the
// request is refused (host_verify_strict, and all of TLS, as in Squid), or it goes to the address that the client
// connected to and to no other; http_access and the helpers are then asked about the name, and if that passes about the
// address too.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not change afterwards. A
// Policy belongs to one worker's goroutine, a State to one request.
package intercept
