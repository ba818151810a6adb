package enginetest

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"exaproxy/engine/enginetest/tlspeer"
)

// Security is what a world has in which TLS is spoken.
type Security struct {
	// Wait waits until no goroutine is at work but the caller's: it is synctest.Wait. TLS is spoken on
	// goroutines, by the engine and by its peers.
	Wait func()
	// Proxy signs what the proxy shows, and Sites what servers have.
	Proxy, Sites *tlspeer.Authority
}

func (s *Security) named(name string) *tlspeer.Authority {
	switch name {
	case "proxy":
		return s.Proxy
	case "sites":
		return s.Sites
	}
	return nil
}

// options are the words of a TLS verb.
func options(text []string) (map[string]string, error) {
	words := strings.Fields(strings.Join(text, " "))
	if len(words) == 0 || words[0] != "tls" {
		return nil, errors.New("it is TLS that is spoken")
	}
	o := map[string]string{}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		o[name] = value
	}
	return o, nil
}

// beginTLS has a client speak TLS from now on: tls sni=NAME version=1.2 trusts=sites protocols=300 gets=PATH.
func (a *actor) beginTLS(text []string) error {
	o, err := options(text)
	if err != nil {
		return err
	}
	if a.world.Security.Wait == nil {
		return errors.New("no TLS is spoken in this world")
	}
	trusted := x509.NewCertPool()
	for name := range strings.SplitSeq(cmp.Or(o["trusts"], "proxy,sites"), ",") {
		a.world.Security.named(name).AddTo(trusted)
	}
	config := &tls.Config{RootCAs: trusted, ServerName: o["sni"], MaxVersion: version(o["version"]), NextProtos: protocols(o["protocols"])}
	if o["sni"] == "" { // whose certificate it must be, the script says
		config.InsecureSkipVerify = true
	}
	first := ""
	if path := o["gets"]; path != "" {
		first = "GET " + path + " HTTP/1.1" + crlf + "Host: " + o["sni"] + crlf + crlf
	}
	a.speakTLS(tlspeer.Client(config, []byte(first)...))
	a.world.settle()
	return nil
}

func version(text string) uint16 {
	if text == "1.2" {
		return tls.VersionTLS12
	}
	return tls.VersionTLS13
}

// protocols are so many, of 200 bytes each: they make a ClientHello long.
func protocols(text string) (all []string) {
	n, _ := strconv.Atoi(text)
	for i := range n {
		all = append(all, fmt.Sprintf("%0200d", i))
	}
	return append(all, "http/1.1")
}

// speakTLS has all that the actor says and hears be inside TLS.
func (a *actor) speakTLS(p *tlspeer.Peer) {
	a.tls = p
	a.world.secure = append(a.world.secure, a)
	a.world.tb.Cleanup(p.End)
}

// carry carries what has come of its TLS connection, in both directions, and says whether that was something.
func (a *actor) carry() bool {
	if a.tls == nil {
		return false
	}
	in, out := a.end.Read(), a.tls.Leave()
	a.tls.Arrive(in)
	a.end.Write(out)
	if a.end.Closed() && !a.told {
		a.tls.End()
		a.told = true
		return true
	}
	return len(in) > 0 || len(out) > 0
}

// has checks what a handshake has led to: of a client "tls proxy NAME", whose authority has signed the
// certificate for a name, of a server "tls NAME", which one it was asked for, - for none.
func (a *actor) has(text []string) error {
	words := strings.Fields(strings.Join(text, " "))
	if a.tls == nil || len(words) < 2 || words[0] != "tls" {
		return errors.New("it does not speak TLS, or it is not said what there has to be")
	}
	if state, err := a.tls.State(); state == tlspeer.Shaking || err != nil {
		return fmt.Errorf("the handshake is not over, or has failed: %v", err)
	}
	agreed := a.tls.Agreed()
	if len(words) == 2 {
		if got := cmp.Or(agreed.ServerName, "-"); got != words[1] {
			return fmt.Errorf("it was asked for %s", got)
		}
		return nil
	}
	leaf := agreed.PeerCertificates[0]
	if by := a.world.Security.named(words[1]); by == nil || leaf.Issuer.CommonName != by.Name() {
		return fmt.Errorf("the certificate was signed by %s", leaf.Issuer)
	}
	return leaf.VerifyHostname(words[2])
}

// lacks checks that a handshake has failed, for a reason that contains the text.
func (a *actor) lacks(text []string) error {
	want := strings.TrimSpace(strings.TrimPrefix(strings.Join(text, " "), "tls"))
	if a.tls == nil {
		return errors.New("it has not tried to speak TLS")
	}
	if state, err := a.tls.State(); state != tlspeer.Over || err == nil || !strings.Contains(err.Error(), want) {
		return fmt.Errorf("the handshake is in state %d: %v", state, err)
	}
	a.tls = nil
	return nil
}

// finishedTLS says whether the other side has finished in the way of TLS.
func (a *actor) finishedTLS() bool {
	state, err := a.tls.State()
	return state == tlspeer.Over && err == io.EOF
}

// speaks has a server speak TLS on all connections from now on: tls cert=NAME,NAME version=1.2.
func (o *origin) speaks(text []string) error {
	words, err := options(text)
	if err != nil {
		return err
	}
	if o.world.Security.Wait == nil {
		return errors.New("no TLS is spoken in this world")
	}
	cert := o.world.Security.Sites.Issue(strings.Split(words["cert"], ",")...)
	o.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version(words["version"])}
	return nil
}

// carryTLS carries what has come of all TLS connections, and says whether that was something.
func (w *World) carryTLS() bool {
	if w.Security.Wait == nil {
		return false
	}
	w.Security.Wait()
	if w.loop.Turn(false) { // something was posted
		return true
	}
	moved := false
	for _, o := range w.origins {
		moved = o.acceptTLS() || moved
	}
	if moved {
		return true
	}
	for _, a := range w.secure {
		moved = a.carry() || moved
	}
	return moved
}

// acceptTLS begins TLS on the connections that wait.
func (o *origin) acceptTLS() bool {
	if o.tls == nil {
		return false
	}
	end := o.port.Accept()
	if end == nil {
		return false
	}
	end.Segment(o.world.Segment)
	a := &actor{world: o.world, name: o.addr.String(), end: end}
	a.speakTLS(tlspeer.Server(o.tls))
	o.waiting = append(o.waiting, a)
	return true
}

// said is what has arrived in TLS.
func (a *actor) heardTLS() []byte {
	a.world.settle()
	return bytes.Clone(a.tls.Heard())
}
