package acl

// tester is what a type of acl makes of its values. Every type has one, in a file of its own or
// with others of its sort.
type tester interface {
	// add adds the values of one line. Errors are worded for the log.
	add(v *values) error
	// finish is called once, after the last add, and returns warnings.
	finish(acl string) []string
	// empty reports whether there are no values.
	empty() bool
	// slow reports whether match may want to wait.
	slow() bool
	// match tests the request of p. It changes nothing but p.
	match(p *Place) outcome
}

// An outcome is what came of a test.
type outcome uint8

const (
	mismatch outcome = iota
	match
	wait      // something is being looked up
	challenge // the client has to prove who it is first, whatever the rule is
	unknown   // nobody can tell: the check of the list ends there
)

func outcomeOf(matches bool) outcome {
	if matches {
		return match
	}
	return mismatch
}

// simple is embedded by types that use their values as they were added, and never wait.
type simple struct{}

func (simple) finish(string) []string { return nil }

func (simple) slow() bool { return false }

// aclType is what is known of a type of acl.
type aclType struct {
	new   func() tester // nil: Squid has the type, and it is not served yet
	flags string        // flags that the type takes
	pairs bool          // its values are key=value, which may be quoted: the type reads them itself
}

// types has a row for every type that Squid 5.7 has in Debian.
var types = map[string]aclType{
	"src":           {new: newSource},
	"dst":           {new: newDestination, flags: "-n"},
	"localip":       {new: newLocal},
	"srcdomain":     {new: newClientDomain},
	"srcdom_regex":  {new: newClientPattern, flags: "-i +i"},
	"dstdomain":     {new: newDomain, flags: "-n"},
	"dstdom_regex":  {new: newDomainPattern, flags: "-n -i +i"},
	"url_regex":     {new: newURL, flags: "-i +i"},
	"urlpath_regex": {new: newPath, flags: "-i +i"},
	"urllogin":      {new: newURLLogin, flags: "-i +i"},
	"browser":       {new: newField("User-Agent"), flags: "-i +i"},
	"referer_regex": {new: newField("Referer"), flags: "-i +i"},
	"req_header":    {new: newRequestField},
	"rep_header":    {new: newReplyField},
	"rep_mime_type": {new: newReplyType, flags: "-i +i"},
	"http_status":   {new: newStatus},
	"has":           {new: newHas},
	"random":        {new: newRandom},
	"time":          {new: newTime},
	"req_mime_type": {new: newField("Content-Type"), flags: "-i +i"},
	"port":          {new: newPort},
	"localport":     {new: newLocalPort},
	"myportname":    {new: newPortName},
	"proto":         {new: newProtocol},
	"method":        {new: newMethod},
	"proxy_auth":    {new: newUser, flags: "-i +i"},

	"proxy_auth_regex": {new: newUserPattern, flags: "-i +i"},

	"maxconn":     {new: newConnectionCount},
	"max_user_ip": {new: newMaxUserAddresses, flags: "-s"},

	"external":       {new: newExternal},
	"ext_user":       {new: newExtUser, flags: "-i +i"},
	"ext_user_regex": {new: newExtUserPattern, flags: "-i +i"},
	"tag":            {new: newTag},

	"note":                 {new: newNote, flags: "-m"},
	"annotate_transaction": {new: newAnnotation, flags: "-m", pairs: true},
	"annotate_client":      {new: newClientAnnotation, flags: "-m", pairs: true},

	"user_cert": {new: newUserCertificate},
	"ca_cert":   {new: newIssuerCertificate},
	"any-of":    {new: newAnyOf},
	"all-of":    {new: newAllOf},

	"at_step":                 {new: newStep},
	"ssl_error":               {new: newTLSError},
	"server_cert_fingerprint": {new: newFingerprint, flags: "-sha1"},
	"ssl::server_name":        {new: newServerName, flags: serverNameOptions},
	"ssl::server_name_regex":  {new: newServerNamePattern, flags: serverNameOptions + " -i +i"},
	"connections_encrypted":   {new: newEncrypted},
	"ssl::encrypted_hello":    {new: newEncryptedHello}, // ours
	"squid_error":             {new: newError},
	"transaction_initiator":   {new: newInitiator},

	"client_connection_mark": {new: newMark},

	"peername":       {new: newPeerName},
	"peername_regex": {new: newPeerPattern, flags: "-i +i"},
	"hier_code":      {new: newHierarchy},

	// not served yet
	"adaptation_service": {}, "arp": {},
	"dst_as": {}, "eui64": {},
	"ident": {}, "ident_regex": {}, "snmp_community": {}, "src_as": {},
}
