package headers

import "exaproxy/engine/h1"

// registered are the names that Squid 5.7 knows, in small letters. Rules for Other are about all that are not here.
var registered = map[string]bool{
	"accept": true, "accept-charset": true, "accept-encoding": true, "accept-language": true,
	"accept-ranges": true, "age": true, "allow": true, "alternate-protocol": true, "authentication-info": true,
	"authorization": true, "cache-control": true, "cdn-loop": true, "connection": true, "content-base": true,
	"content-disposition": true, "content-encoding": true, "content-language": true, "content-length": true,
	"content-location": true, "content-md5": true, "content-range": true, "content-type": true, "cookie": true,
	"cookie2": true, "date": true, "etag": true, "expect": true, "expires": true, "forwarded": true, "from": true,
	"front-end-https": true, "ftp-arguments": true, "ftp-command": true, "ftp-pre": true, "ftp-reason": true,
	"ftp-status": true, "host": true, "http2-settings": true, "if-match": true, "if-modified-since": true,
	"if-none-match": true, "if-range": true, "if-unmodified-since": true, "keep-alive": true, "key": true,
	"last-modified": true, "link": true, "location": true, "max-forwards": true, "mime-version": true,
	"negotiate": true, "origin": true, "pragma": true, "proxy-authenticate": true,
	"proxy-authentication-info": true, "proxy-authorization": true, "proxy-connection": true,
	"proxy-support": true, "public": true, "range": true, "referer": true, "request-range": true,
	"retry-after": true, "server": true, "set-cookie": true, "set-cookie2": true, "surrogate-capability": true,
	"surrogate-control": true, "te": true, "title": true, "trailer": true, "transfer-encoding": true,
	"translate": true, "unless-modified-since": true, "upgrade": true, "user-agent": true, "vary": true,
	"via": true, "warning": true, "www-authenticate": true, "x-accelerator-vary": true, "x-cache": true,
	"x-cache-lookup": true, "x-forwarded-for": true, "x-next-services": true, "x-request-uri": true,
	"x-squid-error": true,
}

// longestRegistered is the length of the longest of them.
const longestRegistered = 25

func isRegistered(name []byte) bool {
	if len(name) > longestRegistered {
		return false
	}
	var folded [longestRegistered]byte
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	return registered[string(folded[:len(name)])]
}

// isIndispensable says whether no rule removes a field: without these its reader would take the message for another
// one, or could not answer.
func isIndispensable(name []byte) bool {
	for _, n := range indispensable {
		if h1.EqualFold(name, n) {
			return true
		}
	}
	return false
}

var indispensable = [...]string{"Host", "Connection", "Content-Length", "Transfer-Encoding", "Proxy-Authenticate"}
