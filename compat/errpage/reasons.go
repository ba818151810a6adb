package errpage

import (
	"errors"

	"exaproxy/compat/verify"
	"exaproxy/engine"
)

// reasons are what the built-in pages show beneath what happened, where there may be something to show.
var reasons = map[string]string{
	"ERR_CONNECT_FAIL":    "%E",
	"ERR_DNS_FAIL":        "%z",
	"ERR_ESI":             "%Z",
	"ERR_FTP_FAILURE":     "%Z",
	"ERR_FTP_FORBIDDEN":   "%Z",
	"ERR_FTP_NOT_FOUND":   "%Z",
	"ERR_FTP_PUT_ERROR":   "%Z",
	"ERR_FTP_UNAVAILABLE": "%Z",
	"ERR_ICAP_FAILURE":    "%E",
	"ERR_INVALID_REQ":     "%Z",
	"ERR_INVALID_RESP":    "%Z",
	"ERR_INVALID_URL":     "%Z",
	"ERR_READ_ERROR":      "%E",
	"ERR_READ_TIMEOUT":    "%E",
	secureFail:            "%D (%x)",
	"ERR_SOCKET_FAILURE":  "%E",
	"ERR_TOO_BIG":         "%Z",
	"ERR_UNSUP_REQ":       "%Z",
	"ERR_WRITE_ERROR":     "%E",
}

// secureFail is the page of handshakes with servers that fail.
const secureFail = "ERR_SECURE_CONNECT_FAIL"

// secureAdvice are the words about what can be done, in place of the page's own advice, where the fault may lie with the
// proxy: whom it trusts, what its clock says and which lists of revoked certificates it has.
var secureAdvice = map[verify.Kind]string{
	verify.UnknownIssuer: "untrusted", verify.UntrustedRoot: "untrusted", verify.SelfSigned: "untrusted",
	verify.NotYetValid:    "early",
	verify.CRLUnavailable: "revoked", verify.CRLExpired: "revoked",
}

// fault is what is wrong with a server's certificate, if the page is about that.
func fault(name string, f *engine.Failure) (kind verify.Kind, ok bool) {
	var of *verify.Fault
	if name != secureFail || f == nil || !errors.As(f.Err, &of) {
		return kind, false
	}
	return of.Kind, true
}
