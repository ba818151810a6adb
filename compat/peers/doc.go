// Package peers sends requests to other proxies, and to servers that the configuration names, as cache_peer,
// cache_peer_access, neighbor_type_domain, never_direct, always_direct, prefer_direct and nonhierarchical_direct say:
// which of them a request may go to, in which order, with which credentials, and which of them are there.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it; they are not changed
// afterwards. Each worker has a Policy, on its goroutine. What is known of whether a peer is there, how many connections
// lead to it, and whose turn it is, is known to all workers (Shared): it is numbers that are read and changed
// atomically, so that no request waits for another worker. Nothing here connects to anybody: the engine does, and
// tells the peer.
//
// Nothing is cached here, so siblings are asked for nothing, and nobody is asked by ICP or HTCP.
package peers
