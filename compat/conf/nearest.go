package conf

import "exaproxy/compat/spelling"

// nearest is the name of a directive that differs least from one that no Squid knows, if that is by a slip of the fingers: a
// letter in eight too many, missing, wrong, or in its neighbour's place. Of several those count that are followed. "" if there
// is none.
func nearest(name string) (found string) {
	best := 2 * (len(name)/8 + 2)
	for known, d := range index {
		far := 2 * spelling.Slips(name, known)
		if d.Treat != Done {
			far++
		}
		if far < best || far == best && found != "" && known < found {
			best, found = far, known
		}
	}
	return found
}
