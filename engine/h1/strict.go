package h1

// Conforms says what is wrong with a request that can be read, but whose sender does not keep to the RFCs where others may
// read it differently: what relaxed_header_parser off refuses besides. Errors are *SyntaxError.
//
//   - A method that differs from one we know in its case alone is another one (RFC 9110 section 9.1).
//   - There is one Host, and it is a host, also beside a URL (RFC 9112 section 3.2). HTTP/1.0 may have none.
//   - GET, HEAD and TRACE have no body (RFC 9110 sections 9.3.1, 9.3.2 and 9.3.8).
func (r *Request) Conforms() error {
	if known := methodName(viewOf(r.Method), true); known != r.Method {
		return fault(BadRequestLine, "a method in other letters", Shown(r.Line))
	}
	if r.Major == 0 {
		return nil
	}
	if err := r.hostConforms(); err != nil {
		return err
	}
	if body, err := RequestBody(r); err == nil && body.framing != NoBody && body.length != 0 && r.hasNoBody() {
		return fault(BadFraming, "a body in a request that has none", Shown(r.Line))
	}
	return nil
}

func (r *Request) hostConforms() error {
	host, only := r.Header.Only("Host")
	switch {
	case host == nil && r.Minor == 0:
		return nil
	case host == nil:
		return fault(BadField, "no Host", Shown(r.Line))
	case !only:
		return fault(BadField, "several Host fields", Shown(r.Line))
	}
	if _, _, err := ParseTarget("CONNECT", host, Deny, nil); err != nil {
		return fault(BadField, "no host in the Host field", Shown(host))
	}
	return nil
}

// CheckExpect refuses expectations that nobody here can meet: RFC 9110 section 10.1.1 knows 100-continue only. The error is a
// *SyntaxError of kind UnknownExpectation.
func (r *Request) CheckExpect() error {
	if r.Header.lacks("Expect") {
		return nil
	}
	var err error
	r.Header.Elements("Expect", func(e []byte) {
		if !equalFold(e, "100-continue") {
			err = fault(UnknownExpectation, "not 100-continue", e)
		}
	})
	return err
}

// BodyOf10 says what is wrong with the length that a request of HTTP/1.0 or 0.9 declares, in Squid's reading of RFC 1945 since
// 6: POST and PUT have one (section 8.3), and GET, HEAD, DELETE, LINK and UNLINK have none, not even 0 (section 7.2). Others
// may. Errors are *SyntaxError, of kind BadFraming where it is missing.
func (r *Request) BodyOf10() error {
	if r.Major == 1 && r.Minor > 0 {
		return nil
	}
	declared := r.Header.Has("Content-Length")
	switch r.Method {
	case "POST", "PUT":
		if !declared {
			return fault(BadFraming, "no Content-Length", Shown(r.Line))
		}
	case "GET", "HEAD", "DELETE", "LINK", "UNLINK":
		if declared {
			return fault(BadField, "Content-Length", Shown(r.Line))
		}
	}
	return nil
}

// hasNoBody says whether a request of the method never has a body.
func (r *Request) hasNoBody() bool {
	return r.Method == "GET" || r.Method == "HEAD" || r.Method == "TRACE"
}
