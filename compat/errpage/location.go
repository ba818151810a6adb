package errpage

import "exaproxy/engine"

// inLocations are the codes that mean in the URL of a deny_info line what they mean in a page. What pages say where there is
// nothing to say, such as [unknown], is left out there, and so are those of emptyInLocations.
var inLocations = map[byte]func(dst []byte, v *Values) []byte{
	'A': localAddress, 'b': localPort, 'D': detail, 'e': errno, 'E': errnoText,
	'h': codes['h'].value, 'H': requestHost, 'i': clientAddress, 'M': requestMethod, 'p': requestPort, 'P': requestScheme,
	'S': codes['s'].value, 't': localTime, 'T': dateTime, 'U': publicURL, 'w': codes['w'].value,
}

const emptyInLocations = "BcfFgIlLmOWxzZ"

// AppendLocationCode appends what a code of a page stands for in the URL of a deny_info line, unescaped. known is false of
// codes that Squid does not know there.
func (p *Policy) AppendLocationCode(dst []byte, code byte, r *engine.Request) (_ []byte, known bool) {
	if value := inLocations[code]; value != nil {
		return value(dst, p.values(r, nil)), true
	}
	for i := range len(emptyInLocations) {
		if emptyInLocations[i] == code {
			return dst, true
		}
	}
	return dst, false
}
