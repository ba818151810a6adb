// Package privsep separates privileges: the proxy, which talks to the network, has given up root's
// rights; a second process of the same program has kept them and reads nothing from the network. The
// two share a socket (unix(7), SOCK_SEQPACKET), by which the proxy asks for what its configuration
// may need after the start: files that only root can read, logs in folders of root's, ports below
// 1024 (ip(7)), the end of its pid file.
//
// The process with root's rights believes the proxy nothing: it does only what the configuration,
// as it stands on the disk, names. Files are opened as package account opens them: as the effective
// user, and by root only where nobody else can change the way to them.
//
// A question is one packet, and so is its answer; descriptors come beside them (SCM_RIGHTS). There is
// one question at a time. Either end learns of the other's death by the end of the socket.
package privsep
