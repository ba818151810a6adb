package outgoing

import (
	"crypto/tls"
	"strings"

	"exaproxy/compat/directive"
)

// versions are those of TLS, by the number in OpenSSL's names.
var versions = [...]uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}

// refusals are OpenSSL's options that exclude a version.
var refusals = map[string]uint16{
	"NO_TLSv1": tls.VersionTLS10, "NO_TLSv1_1": tls.VersionTLS11, "NO_TLSv1_2": tls.VersionTLS12, "NO_TLSv1_3": tls.VersionTLS13,
}

// needless are OpenSSL's options that say what is so anyway: versions of SSL, compression and renegotiation are not
// spoken, session tickets not kept, keys never used twice. The others are about defects of old programs.
var needless = map[string]bool{
	"NO_SSLv2": true, "NO_SSLv3": true, "NO_COMPRESSION": true, "NO_TICKET": true, "SINGLE_DH_USE": true, "SINGLE_ECDH_USE": true,
	"NO_SESSION_RESUMPTION_ON_RENEGOTIATION": true, "NO_RENEGOTIATION": true, "ALL": true, "CIPHER_SERVER_PREFERENCE": true,
}

// protocols takes options=. As in Squid an option that is not known is no reason to stop.
func (s *Settings) protocols(c *directive.Context, value string) {
	for option := range strings.FieldsFuncSeq(value, separates) {
		version, excludes := refusals[option]
		switch {
		case excludes:
			s.exclude(version)
		case needless[option]:
		default:
			c.Say(0, "ERROR: tls_outgoing_options: the option '%s' is not known, and has no effect", option)
		}
	}
}

func (s *Settings) exclude(version uint16) {
	if s.excluded == nil {
		s.excluded = make(map[uint16]bool)
	}
	s.excluded[version] = true
}

// onlyVersion takes version=, of Squid 3: 4 is TLS 1.0 alone.
func (s *Settings) onlyVersion(value string) error {
	switch value {
	case "1":
		return nil // any
	case "4", "5", "6":
		s.min = versions[value[0]-'4']
		for _, v := range versions {
			if v != s.min {
				s.exclude(v)
			}
		}
		return nil
	}
	return refuse("'version=%s': SSL 2 and 3 are not spoken; versions of TLS are given by min-version= and options=NO_TLSv1_3", value)
}

// versions sets which are spoken. From min-version on, which is 1.2 where nothing is said, those that are
// not excluded; crypto/tls leaves out none between two others.
func (s *Settings) versions() error {
	first := s.min
	if first == 0 {
		first = tls.VersionTLS12
	}
	spoken := 0
	for _, v := range versions {
		if v < first || s.excluded[v] {
			continue
		}
		if spoken > 0 && s.Config.MaxVersion != v-1 {
			return refuse("of three versions of TLS the one between cannot be left out")
		}
		if spoken == 0 {
			s.Config.MinVersion = v
		}
		s.Config.MaxVersion = v
		spoken++
	}
	if spoken == 0 {
		return refuse("min-version= and options= leave no version of TLS")
	}
	return nil
}
