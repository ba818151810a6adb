// Package proxyheader reads and writes the header of the PROXY protocol, in which a balancer says for whom it has
// connected (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). It has pure functions of bytes:
// Parse, AppendV1 and AppendV2.
package proxyheader
