// Package tlsend speaks TLS over a descriptor of a loop (RFC 8446, by crypto/tls). A Conn is an end
// of a connection like the descriptor itself: engine.End.
//
// It lives twice. During the handshake crypto/tls keeps every error for ever, so it must be let wait:
// it runs on a goroutine of its own, which the loop feeds with what it has received and whose
// output the loop sends. Keys are used and certificates made there, of those of one Queue at most as
// many at once as there are processors. Waiting for the peer takes nobody's place; whoever owns the Conn sets the
// deadline, and closes it. Afterwards all happens on the loop: crypto/tls reads from a link that
// says "nothing now" by a temporary net.Error, which it does not keep (crypto/tls/conn.go,
// readRecordOrCCS), and a link's Write never fails for want of room.
//
// A Conn belongs to its owner and is used on the loop's goroutine only.
package tlsend
