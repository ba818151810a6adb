// Package privsep separates privileges: the proxy, which talks to the network, has given up root's
// rights; a second process of the same program has kept them and reads nothing from the network. The
// two share a socket (unix(7), SOCK_SEQPACKET), by which the proxy asks for what its configuration
// may need after the start: files that only root can read, logs in folders of root's, ports below
// 1024 (ip(7)), the end of its pid file.
//
// The process with root's rights believes the proxy nothing: it does only what the configuration,
// as it stands on the disk, names, and only lines count of files that nobody but root can change. Files are opened as package account opens them: as the effective
// user, and by root only where nobody else can change the way to them.
//
// A question is one packet, and so is its answer; a descriptor may come beside it (SCM_RIGHTS). A
// question that is answered late, because a disk is slow, has failed, and nothing else has: answers
// carry the question's number. The proxy learns of the other process's death by the end of the socket.
// The reverse does not hold, for the proxy could give its end away: the owner watches the process
// and closes the Server.
package privsep
