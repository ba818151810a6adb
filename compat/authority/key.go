package authority

import "crypto/sha256"

// A key is all that a certificate was made of.
type key struct {
	host   string
	origin [sha256.Size]byte // of the certificate that it imitates; 0: of none
	how    Imitation
}
