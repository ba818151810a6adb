package engine

// A Bump is what becomes of a tunnel that was allowed: the actions of ssl_bump.
type Bump uint8

const (
	BumpSplice      Bump = iota // a tunnel
	BumpPending                 // the policy has begun something that will wake Request.Waker; call it again then
	BumpPeek                    // look further, and pass on what the client says as it is
	BumpStare                   // look further, as the client that the server goes on to have
	BumpClientFirst             // decrypt; the server is spoken to when there is a request
	BumpServerFirst             // decrypt, under a certificate like the server's
	BumpTerminate               // end it
)
