// Package packets says what the packets of connections bear: the address of ours from which next hops are connected
// to, types of service and marks for routers and the packet filter, and the PROXY header by which next hops are
// told of the client. Those are the directives tcp_outgoing_address, tcp_outgoing_tos, tcp_outgoing_mark,
// clientside_tos, mark_client_packet, mark_client_connection, qos_flows and our proxy_protocol_out.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they do not change
// afterwards. A Policy is one worker's and is called on that worker's goroutine, when the next hop of a request is
// chosen. The package opens no socket: the engine's loop does what a Hop says.
package packets
