package authority

import (
	"container/list"
	"crypto/sha256"
	"crypto/tls"
)

// An lru keeps the certificates that were asked for last.
type lru struct {
	most  int
	byKey map[key]*list.Element
	order list.List // of kept, the last used in front
}

// A key is all that a certificate was made of.
type key struct {
	host   string
	origin [sha256.Size]byte // of the certificate that it imitates; 0: of none
	how    Imitation
}

type kept struct {
	key  key
	cert *tls.Certificate
}

// get returns the certificate that was made of k; nil if there is none.
func (l *lru) get(k key) *tls.Certificate {
	e := l.byKey[k]
	if e == nil {
		return nil
	}
	l.order.MoveToFront(e)
	return e.Value.(*kept).cert
}

// put keeps a certificate in the place of the last one of k, and drops what was not asked for longest.
func (l *lru) put(k key, c *tls.Certificate) {
	if l.byKey == nil {
		l.byKey = make(map[key]*list.Element)
	}
	if e := l.byKey[k]; e != nil {
		l.order.Remove(e)
	}
	l.byKey[k] = l.order.PushFront(&kept{k, c})
	for l.order.Len() > l.most {
		last := l.order.Back()
		l.order.Remove(last)
		delete(l.byKey, last.Value.(*kept).key)
	}
}
