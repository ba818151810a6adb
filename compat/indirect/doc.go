// Package indirect finds out who asks when others ask for him, and who is believed to: the directives
// follow_x_forwarded_for, acl_uses_indirect_client, log_uses_indirect_client and proxy_protocol_access. Squid's delay_pool_uses_indirect_client and
// tproxy_uses_indirect_client steer what is not there.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not change
// afterwards. A Policy is one worker's and is called on that worker's goroutine, first of all for each request:
// it sets Request.Client and Request.Told, and leaves the connection's Client, which is the sender or whom its PROXY header
// names, alone.
//
// It changes no field: what servers are told of the way stands in X-Forwarded-For, and is package headers' affair.
package indirect
