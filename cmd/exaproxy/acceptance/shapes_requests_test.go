package acceptance

import (
	"fmt"
	"slices"
	"strings"
)

// requestShapes are all that clients send.
func requestShapes() []shape {
	return slices.Concat(lengthShapes(), codingShapes(), chunkShapes(), fieldShapes(), lineShapes(), versionShapes(), methodShapes(), hostShapes(),
		targetShapes(), authorityShapes(), connectionShapes(), meaningShapes(), sizeShapes(), pipelineShapes(), connectShapes(), endlessShapes())
}

// named makes shapes of names and what clients send, in turn.
func named(of ...string) []shape {
	var all []shape
	for i := 0; i < len(of); i += 2 {
		all = append(all, shape{name: of[i], raw: of[i+1]})
	}
	return all
}

// sends is a request for /first with the fields, each with its line end, and a body.
func sends(method, fields, body string) string {
	return method + " http://{o}/first HTTP/1.1\r\nHost: {o}\r\n" + fields + "\r\n" + body
}

func gets(fields string) string        { return sends("GET", fields, "") }
func posts(fields, body string) string { return sends("POST", fields, body) }
func chunks(body string) string        { return posts("Transfer-Encoding: chunked\r\n", body) }

// asksFor is a request for a target, as it is written.
func asksFor(target string) string { return begins("GET " + target + " HTTP/1.1") }

// begins is a request that begins with a line.
func begins(line string) string { return line + "\r\nHost: {o}\r\n\r\n" }

// smuggled is a request that stands where one reader sees a body, and another does not.
const smuggled = "GET http://{o}/smuggled HTTP/1.1\r\nHost: {o}\r\n\r\n"

// smuggledSize is how long it is when its places are filled.
const smuggledSize = len(smuggled) + 2*(len("s0000.test:32768")-len("{o}"))

// lengthOf is a POST of three bytes with a value of Content-Length.
func lengthOf(value string) string { return posts("Content-Length:"+value+"\r\n", "abc") }

func lengthShapes() []shape {
	return named(
		"a length", lengthOf(" 3"),
		"length 0", posts("Content-Length: 0\r\n", ""),
		"no length, no body", posts("", ""),
		"no length, a body", posts("", "abc"),
		"a body behind length 0", posts("Content-Length: 0\r\n", "abc"),
		"a body longer than its length", posts("Content-Length: 3\r\n", "abcde"),
		"length with plus", lengthOf(" +3"),
		"length with minus", lengthOf(" -3"),
		"length with minus, 0", posts("Content-Length: -0\r\n", ""),
		"length in hexadecimal", lengthOf(" 0x3"),
		"length with a fraction", lengthOf(" 3.0"),
		"length with an exponent", lengthOf(" 3e0"),
		"length with an underscore", posts("Content-Length: 1_0\r\n", "0123456789"),
		"length with a parameter", lengthOf(" 3;a=b"),
		"length in quotes", lengthOf(` "3"`),
		"length in words", lengthOf(" three"),
		"length with leading zeros", lengthOf(" 0003"),
		"length without a space", lengthOf("3"),
		"length within spaces", lengthOf("   3  "),
		"length within tabs", lengthOf("\t3\t"),
		"length with a space within", posts("Content-Length: 1 0\r\n", "0123456789"),
		"length behind a vertical tab", lengthOf(" \v3"),
		"length before a form feed", lengthOf(" 3\f"),
		"length with NUL", lengthOf(" 3\x00"),
		"length with NUL within", posts("Content-Length: 3\x000\r\n", "abc"),
		"length with a bare CR", lengthOf(" 3\r0"),
		"length with a bare LF", posts("Content-Length: 3\n", "abc"),
		"length empty", lengthOf(""),
		"length of 20 digits", lengthOf(" 99999999999999999999"),
		"length beyond 64 bits", lengthOf(" 18446744073709551619"),
		"length beyond 63 bits", lengthOf(" 9223372036854775811"),
		"one length twice", posts("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
		"one length in two spellings", posts("Content-Length: 3\r\ncontent-length: 03\r\n", "abc"),
		"two lengths, short first", posts("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"),
		"two lengths, long first", posts("Content-Length: 4\r\nContent-Length: 3\r\n", "abcd"),
		"two lengths, of which one is 0", posts(fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n", smuggledSize), smuggled),
		"two lengths, of which one is empty", posts("Content-Length:\r\nContent-Length: 3\r\n", "abc"),
		"two lengths, of which one is nonsense", posts("Content-Length: 3\r\nContent-Length: x\r\n", "abc"),
		"a list of one length", lengthOf(" 3,3"),
		"a list of one length with spaces", lengthOf(" 3 , 3"),
		"a list of two lengths", lengthOf(" 3, 4"),
		"a list with a hole", lengthOf(" 3,"),
		"a space before the colon of the length", posts("Content-Length : 3\r\n", "abc"),
		"a tab before the colon of the length", posts("Content-Length\t: 3\r\n", "abc"),
		"a folded length", posts("Content-Length:\r\n 3\r\n", "abc"),
		"a length that is folded on", posts("Content-Length: 3\r\n 0\r\n", "abc"),
		"a length behind a bare CR", posts("X: y\rContent-Length: 3\r\n", "abc"),
		"a length with an underscore for a dash", posts("Content_Length: 3\r\n", "abc"),
		"a length in small letters", posts("content-length: 3\r\n", "abc"),
		"GET with a length", sends("GET", "Content-Length: 3\r\n", "abc"),
		"GET with length 0", sends("GET", "Content-Length: 0\r\n", ""),
		"HEAD with a length", sends("HEAD", "Content-Length: 3\r\n", "abc"),
		"DELETE with a length", sends("DELETE", "Content-Length: 3\r\n", "abc"),
		"OPTIONS with a length", sends("OPTIONS", "Content-Length: 3\r\n", "abc"),
		"TRACE with a length", sends("TRACE", "Content-Length: 3\r\n", "abc"),
		"PUT without a length", sends("PUT", "", ""),
		"PATCH without a length", sends("PATCH", "", ""),
		"HTTP/1.0 with a length", "POST http://{o}/first HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.0 without a length", "POST http://{o}/first HTTP/1.0\r\n\r\n",
		"HTTP/1.0, kept, with a length", "POST http://{o}/first HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
		"a request as a body", posts(fmt.Sprintf("Content-Length: %d\r\n", smuggledSize), smuggled),
		"64 KB of a body", posts("Content-Length: 65536\r\n", strings.Repeat("x", 65536)),
	)
}

const chunked3 = "3\r\nabc\r\n0\r\n\r\n"

// coded is a POST with a line of Transfer-Encoding, as it is written, and a chunked body.
func coded(line string) string { return posts(line+"\r\n", chunked3) }

func codingShapes() []shape {
	return named(
		"chunked in capitals", coded("TRANSFER-ENCODING: CHUNKED"),
		"chunked without a space", coded("Transfer-Encoding:chunked"),
		"chunked behind a tab", coded("Transfer-Encoding:\tchunked"),
		"chunked within spaces", coded("Transfer-Encoding:   chunked  "),
		"chunked behind a vertical tab", coded("Transfer-Encoding: \vchunked"),
		"chunked before a form feed", coded("Transfer-Encoding: chunked\f"),
		"chunked with NUL", coded("Transfer-Encoding: chunked\x00"),
		"chunked with a bare CR", coded("Transfer-Encoding: chunked\rx"),
		"chunked behind a bare CR", coded("X: y\rTransfer-Encoding: chunked"),
		"chunked behind a bare LF", coded("X: y\nTransfer-Encoding: chunked"),
		"chunked before a bare LF", posts("Transfer-Encoding: chunked\n", chunked3),
		"chunked with a prefix", coded("Transfer-Encoding: xchunked"),
		"chunked with a suffix", coded("Transfer-Encoding: chunkedx"),
		"chunked with a parameter", coded("Transfer-Encoding: chunked;a=b"),
		"chunked in quotes", coded(`Transfer-Encoding: "chunked"`),
		"chunked in single quotes", coded("Transfer-Encoding: 'chunked'"),
		"chunked and a comma", coded("Transfer-Encoding: chunked,"),
		"a comma and chunked", coded("Transfer-Encoding: ,chunked"),
		"chunked twice in a list", coded("Transfer-Encoding: chunked, chunked"),
		"chunked in two fields", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
		"chunked and identity in two fields", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
		"identity and chunked in two fields", coded("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
		"chunked and nothing in two fields", coded("Transfer-Encoding: chunked\r\nTransfer-Encoding:"),
		"gzip, chunked", coded("Transfer-Encoding: gzip, chunked"),
		"chunked, gzip", coded("Transfer-Encoding: chunked, gzip"),
		"identity, chunked", coded("Transfer-Encoding: identity, chunked"),
		"chunked, identity", coded("Transfer-Encoding: chunked, identity"),
		"gzip", coded("Transfer-Encoding: gzip"),
		"identity", coded("Transfer-Encoding: identity"),
		"identity and a length", posts("Transfer-Encoding: identity\r\nContent-Length: 3\r\n", "abc"),
		"a coding that is empty", coded("Transfer-Encoding:"),
		"a coding that is empty and a length", posts("Transfer-Encoding:\r\nContent-Length: 3\r\n", "abc"),
		"a coding nobody knows", coded("Transfer-Encoding: cow"),
		"a coding nobody knows and a length", posts("Transfer-Encoding: cow\r\nContent-Length: 3\r\n", "abc"),
		"a space before the colon of chunked", coded("Transfer-Encoding : chunked"),
		"a tab before the colon of chunked", coded("Transfer-Encoding\t: chunked"),
		"a space before the colon of chunked and a length", posts("Transfer-Encoding : chunked\r\nContent-Length: 13\r\n", chunked3),
		"a space before the name of chunked", coded(" Transfer-Encoding: chunked"),
		"chunked with an underscore for a dash", coded("Transfer_Encoding: chunked"),
		"a folded coding", coded("Transfer-Encoding:\r\n chunked"),
		"a folded coding and a length", posts("Transfer-Encoding:\r\n chunked\r\nContent-Length: 13\r\n", chunked3),
		"chunked and a length", posts("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", chunked3),
		"a length and chunked", posts("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"chunked and the length of all of it", posts("Content-Length: 13\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"chunked and length 0", posts("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"chunked and a length with plus", posts("Content-Length: +3\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"chunked and two lengths", posts("Content-Length: 3\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked3),
		"an end of chunks before a request within a length", posts(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n", len("0\r\n\r\n")+smuggledSize), "0\r\n\r\n"+smuggled),
		"chunked in HTTP/1.0", "POST http://{o}/first HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked3,
		"chunked and a length in HTTP/1.0", "POST http://{o}/first HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked3,
		"GET that is chunked", sends("GET", "Transfer-Encoding: chunked\r\n", chunked3),
		"HEAD that is chunked", sends("HEAD", "Transfer-Encoding: chunked\r\n", chunked3),
		"DELETE that is chunked", sends("DELETE", "Transfer-Encoding: chunked\r\n", chunked3),
		"TE", gets("TE: trailers, deflate;q=0.5\r\n"),
		"TE: chunked", gets("TE: chunked\r\n"),
	)
}

func chunkShapes() []shape {
	return named(
		"chunks", chunks("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
		"no chunks", chunks("0\r\n\r\n"),
		"a chunk's size in capitals", chunks("A\r\n0123456789\r\n0\r\n\r\n"),
		"a chunk's size in small letters", chunks("a\r\n0123456789\r\n0\r\n\r\n"),
		"a chunk's size with leading zeros", chunks("003\r\nabc\r\n0000\r\n\r\n"),
		"a chunk's size of 17 digits", chunks("00000000000000003\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size of 100 zeros", chunks(strings.Repeat("0", 100)+"3\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size beyond 64 bits", chunks("10000000000000003\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size of 64 bits", chunks("FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size of 63 bits and one more", chunks("8000000000000003\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size with 0x", chunks("0x3\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size with plus", chunks("+3\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size with minus", chunks("-3\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size with another letter", chunks("3g\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size that is missing", chunks("\r\nabc\r\n0\r\n\r\n"),
		"a chunk's size that is missing before an extension", chunks(";a=b\r\nabc\r\n0\r\n\r\n"),
		"a space before a chunk's size", chunks(" 3\r\nabc\r\n0\r\n\r\n"),
		"a space behind a chunk's size", chunks("3 \r\nabc\r\n0 \r\n\r\n"),
		"a tab behind a chunk's size", chunks("3\t\r\nabc\r\n0\r\n\r\n"),
		"a space within a chunk's size", chunks("0 3\r\nabc\r\n0\r\n\r\n"),
		"NUL behind a chunk's size", chunks("3\x00\r\nabc\r\n0\r\n\r\n"),
		"a comma behind a chunk's size", chunks("3,\r\nabc\r\n0\r\n\r\n"),
		"an extension", chunks("3;a=b\r\nabc\r\n0;c\r\n\r\n"),
		"an extension in quotes", chunks("3;a=\"b;\\\"c\"\r\nabc\r\n0\r\n\r\n"),
		"an extension with spaces", chunks("3 ; a = b\r\nabc\r\n0\r\n\r\n"),
		"an extension that is empty", chunks("3;\r\nabc\r\n0\r\n\r\n"),
		"an extension with a bare LF", chunks("3;a\nabc\r\n0\r\n\r\n"),
		"an extension with a bare CR", chunks("3;a\rb\r\nabc\r\n0\r\n\r\n"),
		"an extension with NUL", chunks("3;a\x00b\r\nabc\r\n0\r\n\r\n"),
		"an extension with a bare LF and a request", chunks("3;\nabc\r\n0\r\n\r\n"+smuggled),
		"an extension of 20 KB", chunks("3;"+strings.Repeat("a", 20000)+"\r\nabc\r\n0\r\n\r\n"),
		"an extension of 1 KB", chunks("3;"+strings.Repeat("a", 1000)+"\r\nabc\r\n0\r\n\r\n"),
		"a bare LF behind a chunk's size", chunks("3\nabc\r\n0\r\n\r\n"),
		"a bare LF behind a chunk", chunks("3\r\nabc\n0\r\n\r\n"),
		"a bare CR behind a chunk's size", chunks("3\rabc\r\n0\r\n\r\n"),
		"a bare CR behind a chunk", chunks("3\r\nabc\r0\r\n\r\n"),
		"CR CR LF behind a chunk's size", chunks("3\r\r\nabc\r\n0\r\n\r\n"),
		"nothing behind a chunk", chunks("3\r\nabc0\r\n\r\n"),
		"a chunk longer than its size", chunks("3\r\nabcd\r\n0\r\n\r\n"),
		"a chunk shorter than its size", chunks("4\r\nabc\r\n0\r\n\r\n"),
		"bare LFs at the end of chunks", chunks("3\r\nabc\r\n0\n\n"),
		"a bare LF behind the last size", chunks("3\r\nabc\r\n0\n\r\n"),
		"a bare LF as the last line of chunks", chunks("3\r\nabc\r\n0\r\n\n"),
		"a bare CR as the last line of chunks", chunks("3\r\nabc\r\n0\r\n\rX"),
		"no last line", chunks("3\r\nabc\r\n0\r\n"),
		"a trailer field", chunks("3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"),
		"a trailer field that was announced", posts("Trailer: X-T\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"),
		"a length in the trailer", chunks("3\r\nabc\r\n0\r\nContent-Length: 30\r\n\r\n"),
		"a coding in the trailer", chunks("3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
		"Host in the trailer", chunks("3\r\nabc\r\n0\r\nHost: elsewhere.test\r\n\r\n"),
		"a folded trailer", chunks("3\r\nabc\r\n0\r\nX: a\r\n b\r\n\r\n"),
		"a trailer without a colon", chunks("3\r\nabc\r\n0\r\nnocolon\r\n\r\n"),
		"a request for a trailer", chunks("3\r\nabc\r\n0\r\n"+smuggled),
		"a trailer with a bare LF", chunks("3\r\nabc\r\n0\r\nX: a\n\r\n"),
		"a trailer with a bare CR", chunks("3\r\nabc\r\n0\r\nX: a\rb\r\n\r\n"),
		"a trailer with NUL", chunks("3\r\nabc\r\n0\r\nX: a\x00b\r\n\r\n"),
		"a trailer with a space before the colon", chunks("3\r\nabc\r\n0\r\nX : a\r\n\r\n"),
		"a trailer of 17 KB", chunks("3\r\nabc\r\n0\r\nX: "+strings.Repeat("x", 17000)+"\r\n\r\n"),
		"1,000 chunks of a byte", chunks(strings.Repeat("1\r\na\r\n", 1000)+"0\r\n\r\n"),
		"a chunk of 64 KB", chunks("10000\r\n"+strings.Repeat("x", 65536)+"\r\n0\r\n\r\n"),
	)
}

// endlessShapes have bodies that do not end.
func endlessShapes() []shape {
	all := named(
		"length beyond 32 bits", lengthOf(" 4294967299"),
		"a body that never ends", posts("Content-Length: 1000000\r\n", "abc"),
		"a chunk that never ends", chunks("FFFFF\r\nabc"),
	)
	for i := range all {
		all[i].stays = true
	}
	return all
}
