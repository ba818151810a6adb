package ports

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"exaproxy/compat/directive"
)

// An ocspResponse is what an authority says of certificates (RFC 6960, section 4.2.1). Whether it has signed
// it is for clients to judge, who know whom they trust.
type ocspResponse struct {
	Status   asn1.Enumerated
	Response struct {
		Type  asn1.ObjectIdentifier
		Basic []byte
	} `asn1:"explicit,tag:0,optional"`
}

type basicResponse struct {
	Data struct {
		Version    int `asn1:"explicit,tag:0,default:0,optional"`
		Responder  asn1.RawValue
		Produced   time.Time `asn1:"generalized"`
		Responses  []singleResponse
		Extensions asn1.RawValue `asn1:"explicit,tag:1,optional"`
	}
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
	Chain     asn1.RawValue `asn1:"explicit,tag:0,optional"`
}

type singleResponse struct {
	Certificate struct {
		Algorithm    pkix.AlgorithmIdentifier
		Name, Key    []byte // of the issuer, hashed
		SerialNumber *big.Int
	}
	Status     asn1.RawValue
	Since      time.Time     `asn1:"generalized"`
	Until      time.Time     `asn1:"generalized,explicit,tag:0,optional"`
	Extensions asn1.RawValue `asn1:"explicit,tag:1,optional"`
}

// good is the tag of a status that says so.
const good = 0

// staple reads the OCSP response of a certificate, which is in DER, as openssl ocsp -respout writes it. One that is
// too old is left out, since clients would break off.
func (c *certificate) staple(context *directive.Context, path string) error {
	text, err := context.ReadFile(path)
	if err != nil {
		return err
	}
	single, err := responseFor(text, c.plain.Leaf.SerialNumber)
	if err != nil {
		return err
	}
	if now := time.Now(); now.After(single.Until) || now.Before(single.Since) {
		context.Say(1, "WARNING: the OCSP response in %s is good from %s to %s, and it is not used now", path, single.Since.Format(time.DateTime), single.Until.Format(time.DateTime))
		return nil
	}
	stapled := *c.plain
	stapled.OCSPStaple = text
	c.stapled, c.until = &stapled, single.Until
	return nil
}

// responseFor is what a response says of the certificate with a serial number.
func responseFor(text []byte, serial *big.Int) (*singleResponse, error) {
	var response ocspResponse
	var basic basicResponse
	if _, err := asn1.Unmarshal(text, &response); err != nil {
		return nil, fmt.Errorf("not an OCSP response in DER: %w", err)
	}
	if response.Status != 0 {
		return nil, fmt.Errorf("the OCSP response is an error, number %d", response.Status)
	}
	if _, err := asn1.Unmarshal(response.Response.Basic, &basic); err != nil {
		return nil, fmt.Errorf("not a basic OCSP response: %w", err)
	}
	for i := range basic.Data.Responses {
		single := &basic.Data.Responses[i]
		switch {
		case single.Certificate.SerialNumber.Cmp(serial) != 0:
		case single.Status.Tag != good:
			return nil, errors.New("the OCSP response does not say that the certificate is good")
		case single.Until.IsZero():
			return nil, errors.New("the OCSP response does not say until when it is good (nextUpdate)")
		default:
			return single, nil
		}
	}
	return nil, fmt.Errorf("the OCSP response says nothing of the certificate, whose serial number is %x", serial)
}
