package authority

import (
	"container/list"
	"crypto/tls"
)

// An lru keeps the certificates that were asked for last.
type lru struct {
	most   int
	byHost map[string]*list.Element
	order  list.List // of kept, the last used in front
}

type kept struct {
	host string
	cert *tls.Certificate
}

// get returns the certificate for a host; nil if there is none.
func (l *lru) get(host string) *tls.Certificate {
	e := l.byHost[host]
	if e == nil {
		return nil
	}
	l.order.MoveToFront(e)
	return e.Value.(*kept).cert
}

// put keeps a certificate in the place of the host's last one, and drops what was not asked for longest.
func (l *lru) put(host string, c *tls.Certificate) {
	if l.byHost == nil {
		l.byHost = make(map[string]*list.Element)
	}
	if e := l.byHost[host]; e != nil {
		l.order.Remove(e)
	}
	l.byHost[host] = l.order.PushFront(&kept{host, c})
	for l.order.Len() > l.most {
		last := l.order.Back()
		l.order.Remove(last)
		delete(l.byHost, last.Value.(*kept).host)
	}
}
