package acceptance

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// controls are put raw and escaped into every part of a URL.
var controls = []string{
	"\x00", "\x01", "\t", "\x0b", "\x0c", "\r", "\x1b", "\x1c", "\x1f", " ", "\x7f", "\x80", "\x85", "\xa0", "\xad", "\xff",
	"%00", "%01", "%09", "%0a", "%0d", "%0d%0a", "%1f", "%20", "%7f", "%80", "%ff", "%2500", "%250a",
	"\xc3\xa9", "\xc2\xa0", "\xc2\xad", "\xe2\x80\x8b", "\xc0\x80", "%c3%a9", "%c0%ae", "%u002e", "%", "%z", "%%", "\\", "\"", "'", "`", "|", "^", "{", "<",
}

// lengths are around the sizes of buffers: names, lines of helpers, heads.
var lengths = []int{254, 255, 256, 1022, 1023, 1024, 4095, 4096, 8100, 8190, 8191, 8192, 16383, 16384, 32768, 65400, 65535}

func partUser(f *form) *string    { return &f.user }
func partHost(f *form) *string    { return &f.host }
func partPort(f *form) *string    { return &f.port }
func partFront(f *form) *string   { return &f.front }
func partDir(f *form) *string     { return &f.dir }
func partRest(f *form) *string    { return &f.rest }
func partScheme(f *form) *string  { return &f.scheme }
func partMethod(f *form) *string  { return &f.method }
func partBefore(f *form) *string  { return &f.before }
func partBetween(f *form) *string { return &f.between }
func partAfter(f *form) *string   { return &f.after }
func partVersion(f *form) *string { return &f.version }
func partEnd(f *form) *string     { return &f.end }
func partField(f *form) *string   { return &f.field }
func partMore(f *form) *string    { return &f.more }

// partsOf are the mutations of each part of a form.
func partsOf(k kind, address netip.Addr) [][]mutation {
	switch k {
	case blockedPath:
		return [][]mutation{dirMutations(), frontMutations(), hostMutations(partlyBlockedName), portMutations(), lineMutations(), fieldMutations()}
	case blockedTunnel:
		return [][]mutation{userMutations(), hostMutations(blockedName), addressMutations(address), portMutations(), lineMutations(), fieldMutations(),
			set("scheme", partScheme, "http://", "https://", "//", "/", "http:", "HTTP://"),
			set("path", partRest, "/", "/page", "?", "?a=b", "#x", "\\", "/../", "%2f", "/@"+otherName, "@"+otherName+":443")}
	}
	return [][]mutation{userMutations(), hostMutations(blockedName), addressMutations(address), portMutations(), lineMutations(), fieldMutations(),
		schemeMutations(), frontMutations(), slices.Concat(controlled("path", partRest), long(partRest))}
}

func schemeMutations() []mutation {
	return slices.Concat(
		set("scheme", partScheme, "HTTP://", "hTTp://", "http:/", "http:", "http:///", "http:////", `http:\\`, `http:/\`, "https://",
			"ftp://", "//", "", "h%74tp://", "http%3a//", "http:%2f%2f", "http\t://", "http ://", "http//", "://", "http://http://",
			"view-source:http://", "cache_object://", "whois://", "ws://", "urn:", "http:// ", "http://\t", "%20http://", "\x01http://"),
		[]mutation{{"origin form", func(f *form) { f.scheme, f.host, f.port, f.user = "", "", "", "" }}})
}

func userMutations() []mutation {
	other := otherName
	var many []string
	for _, n := range lengths {
		many = append(many, strings.Repeat("u", n)+"@")
	}
	return slices.Concat(
		set("user", partUser, "joe@", "joe:pw@", other+"@", other+":80@", "@", ":@", ":80@", "a@b@", "%40@", other+"%40", other+"#@",
			other+"?@", other+"/@", other+`\@`, other+"%2f@", other+"%00@", other+"\x00@", other+"\t@", other+" @", "joe%0a@", "\xff@", "[::1]@", "%@"),
		set("user", partUser, many...))
}

func letters(b byte) bool   { return b >= 'a' && b <= 'z' }
func dots(b byte) bool      { return b == '.' }
func slashes(b byte) bool   { return b == '/' }
func every(byte) bool       { return true }
func twice(s string) string { return strings.ReplaceAll(s, "%", "%25") }

func hostMutations(name string) []mutation {
	changed := change("host", partHost, map[string]func(string) string{
		"in capitals": strings.ToUpper, "in mixed case": func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
		"with a letter escaped": func(s string) string { return escaped(s[:1], every) + s[1:] },
		"with letters escaped":  func(s string) string { return escaped(s, letters) },
		"with dots escaped":     func(s string) string { return escaped(s, dots) },
		"escaped":               func(s string) string { return escaped(s, every) },
		"escaped in capitals":   func(s string) string { return strings.ToUpper(escaped(s, every)) },
		"escaped twice":         func(s string) string { return twice(escaped(s, every)) },
		"dots escaped twice":    func(s string) string { return twice(escaped(s, dots)) },
		"with ideographic dots": func(s string) string { return strings.ReplaceAll(s, ".", "\xe3\x80\x82") },
		"with overlong dots":    func(s string) string { return strings.ReplaceAll(s, ".", "\xc0\xae") },
		"with fullwidth b":      func(s string) string { return strings.ReplaceAll(s, "b", "\xef\xbd\x82") },
		"with empty labels":     func(s string) string { return strings.ReplaceAll(s, ".", "..") },
		"in brackets":           func(s string) string { return "[" + s + "]" },
	})
	dotted := around("host", partHost, ".", "..", "...", "%2e", "-", "_", "[", "]", ",", ";", "&", "*", "(", "=", "+", "~", "$", "!")
	other := set("host", partHost, "", "www."+name, "www.."+name, "WWW."+name+".", "a_b."+name,
		"-."+name, "*."+name, "xn--e1afmkfd."+name, otherName+`\.`+name, name+`\.`+otherName,
		name+"%00."+otherName, otherName+"%00."+name, name+"\x00."+otherName, name+"%2f."+otherName,
		name+"/."+otherName, name+"#."+otherName, name+"?."+otherName, name+"%23."+otherName,
		name+":80."+otherName, name+"@"+otherName, name+" "+otherName, otherName+" "+name,
		name+"\t"+otherName, name+","+otherName, name+";"+otherName, name+"&"+otherName,
		strings.Repeat("l", 63)+"."+name, strings.Repeat("l", 64)+"."+name)
	for _, n := range lengths {
		label := strings.Repeat("a.", n/2)
		other = append(other, set("host", partHost, label[:max(0, len(label)-len(name))]+name, name+strings.Repeat(".", n))...)
	}
	return slices.Concat(changed, dotted, other, controlled("host", partHost))
}

// controlled are mutations with controls in a part.
func controlled(name string, part func(*form) *string) []mutation {
	return around(name, part, controls...)
}

// long are mutations which make a part as long as buffers are.
func long(part func(*form) *string) []mutation {
	var all []mutation
	for _, n := range lengths {
		for _, text := range []string{"x", "%41", "/", "%0a", "\xff"} {
			all = append(all, mutation{fmt.Sprintf("%d bytes of %q", n, text), func(f *form) { *part(f) = strings.Repeat(text, n/len(text)) }})
		}
	}
	return all
}

// addressMutations have the blocked server's address in place of its name.
func addressMutations(address netip.Addr) []mutation {
	b := address.As4()
	whole := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	four := func(verb string) string {
		return fmt.Sprintf(strings.Join([]string{verb, verb, verb, verb}, "."), b[0], b[1], b[2], b[3])
	}
	plain, words := four("%d"), fmt.Sprintf("%02x%02x:%02x%02x", b[0], b[1], b[2], b[3])
	return set("address", partHost, plain, plain+".", plain+"..", four("%03d"), four("0%o"), four("%04o"), four("0x%x"), four("0x%02X"), four("%x"),
		fmt.Sprint(whole), fmt.Sprintf("0x%x", whole), fmt.Sprintf("0%o", whole), fmt.Sprint(uint64(whole)+1<<32), fmt.Sprintf("0x1%08x", whole),
		fmt.Sprintf("%d.%d", b[0], whole&0xffffff), fmt.Sprintf("%d.%d.%d", b[0], b[1], whole&0xffff), fmt.Sprintf("0x%x.%d", b[0], whole&0xffffff),
		fmt.Sprintf("%d.%d.%d.%d", int(b[0])+256, b[1], b[2], b[3]), "+"+plain, " "+plain, plain+" ", plain+"%00", plain+"%20",
		"["+plain+"]", "[::ffff:"+plain+"]", "[::FFFF:"+plain+"]", "[::ffff:"+words+"]", "[0:0:0:0:0:ffff:"+words+"]", "[::"+plain+"]", "[::"+words+"]",
		"[64:ff9b::"+plain+"]", "[2002:"+words+"::]", "::ffff:"+plain, "[::ffff:"+plain+"%lo]", "[::ffff:"+plain+"%25lo]", "[::ffff:"+plain+"]x",
		"[::ffff:"+plain, "%5b::ffff:"+plain+"%5d", "[%3a:ffff:"+plain+"]", escaped(plain, func(x byte) bool { return x == '.' }),
		escaped(plain, func(byte) bool { return true }), strings.ReplaceAll(plain, ".", "\xe3\x80\x82"), strings.ReplaceAll(plain, ".", ".."),
		plain+".in-addr.arpa", strings.ReplaceAll(plain, ".", ","), plain+"\x00", plain+"\t", plain+"@"+otherName)
}

func portMutations() []mutation {
	return slices.Concat(
		set("port", partPort, "", ":", ":80", ":080", ":0080", ":00000000000000000080", ":443", ":0443", ":8080", ":0", ":+80", ":-80", ":-1", ":65616", ":65979",
			":4294967376", ":4294967739", ":18446744073709551696", ":0x50", ":0x1bb", ":80:80", ":443:443", "::80", "::443", ":80.", ":443.", ":80%00",
			":%38%30", ":%3443", "%3a80", "%3a443", ":80a", ":443a", ":a", ":80\x00", ":80\t", ":\t80", ":80 ", ": 80", ":80@"+otherName,
			":443@"+otherName, ":80#", ":80?", ":443?", ":443/", ":443#", `:443\`, ":80,", ":443;", ":４４３", ":http", ":https", ":99999", ":1e2"),
		around("port", partPort, "%00", "%0a", "\x01", "\x7f", "\xff", "."))
}

// dirMutations are those of the folder that is blocked.
func dirMutations() []mutation {
	plain := blockedDir
	return slices.Concat(
		change("folder", partDir, map[string]func(string) string{
			"in capitals": strings.ToUpper, "with a letter escaped": func(s string) string { return escaped(s[:1], every) + s[1:] },
			"with letters escaped":  func(s string) string { return escaped(s, letters) },
			"with slashes escaped":  func(s string) string { return escaped(s, slashes) },
			"escaped in capitals":   func(s string) string { return strings.ToUpper(escaped(s, every)) },
			"escaped twice":         func(s string) string { return twice(escaped(s, every)) },
			"with fullwidth o":      func(s string) string { return strings.ReplaceAll(s, "o", "\xef\xbd\x8f") },
			"with slashes doubled":  func(s string) string { return strings.ReplaceAll(s, "/", "//") },
			"with backslashes":      func(s string) string { return strings.ReplaceAll(s, "/", `\`) },
			"with overlong slashes": func(s string) string { return strings.ReplaceAll(s, "/", "%c0%af") },
		}),
		set("folder", partDir, "./"+plain, "x/../"+plain, "%2e/"+plain, "x/%2e%2e/"+plain, "%2f"+plain, plain+"../"+plain, ";x/"+plain, plain+"#", plain+"?", plain+";",
			"?/"+plain, "#/"+plain),
		controlled("folder", partDir), long(partRest))
}

func frontMutations() []mutation {
	return set("front", partFront, "", "//", "///", "/./", "/../", "/a/../", "/%2e/", "/%2e%2e/", "/%2e%2e%2f", "/..;/", `\`, `/\`, `\\`, "/%5c", "%2f", "/%2f",
		"?", "/?", "/?u=http://"+otherName+"/", "#", "/#", "/;", ";", "/@"+otherName+"/", "/:@", "/*", "/%25", "/http://"+otherName+"/", "/~", "/ ", "/\t",
		"/a b/", "/%20", "/ HTTP/1.1 ", "/ HTTP/1.0 ", "/ HTTP/1.1%0d%0a", "/%0d%0aHost:%20"+otherName+"%0d%0a", `/%5cn`, `/\n`, `/"`, "/''", "/?a=b&c=d&", "/?a=%00&", "/?"+otherName+"/", "/#"+otherName+"/?")
}

func lineMutations() []mutation {
	spaces := []string{"  ", "\t", " \t ", "\x0b", "\x0c", "\x00", "\x01 ", " \xa0", "\r "}
	return slices.Concat(
		set("before the line", partBefore, "\r\n", "\n", "\r\n\r\n", " ", "\t", "\x00"),
		set("before the target", partBetween, append(spaces, "")...),
		set("after the target", partAfter, append(spaces, "")...),
		set("version", partVersion, "", "HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.", "HTTP/01.1", "HTTP/1.01", "HTTP/1.1 ", "HTTP/1.1\t",
			"HTTP /1.1", "HTTP/1.1 HTTP/1.1", "HTTPS/1.1", "HTTP/1.1x", "HTTP/+1.1", "HTTP/11", "ICY/1.0", "HTTP/1,1", "HTTP/1.1\x00"),
		set("line end", partEnd, "\n", "\r\r\n", " \r\n", "\t\n"),
		set("method", partMethod, "get", "Get", "HEAD", "FOO", "connect", "CONNECT", "GET\x00", "G%45T"))
}

func fieldMutations() []mutation {
	return slices.Concat(
		set("Host", partField, "", otherName, otherName+":80", strings.ToUpper(blockedName), blockedName+".", blockedName+":0443", blockedName+"\x00", "\x00"+otherName,
			otherName+", "+blockedName, otherName+" "+blockedName, "@"+otherName, "http://"+otherName+"/", "[::1]", "%62locked.test", "\xff", strings.Repeat("h", 9000)),
		set("fields", partMore, "Host: "+otherName+"\r\n", "Host : "+otherName+"\r\n", "hOST:"+otherName+"\r\n", "Host:\t"+otherName+"\t\r\n",
			"X-Forwarded-Host: "+otherName+"\r\n", "X-Original-URL: /x\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: identity\r\n", "Expect: 100-continue\r\n",
			"Upgrade: h2c\r\nHTTP2-Settings: AAAA\r\n", "Range: bytes=0-1\r\n", "X: "+strings.Repeat("x", 30000)+"\r\n", "\x00: x\r\n", "X-\xff: x\r\n", "Proxy-Connection: keep-alive\r\n"))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
