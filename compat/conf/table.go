package conf

import "slices"

// Table has a row for every directive: those of Squid 5.7 in the order of its manual, then our
// own, then those that only other versions of Squid know.
var Table = slices.Concat(
	tableObsolete,
	tableAccess,
	tableNetwork,
	tableLogs,
	tableHelpers,
	tableHTTP,
	tableAdministration,
	tableAdaptation,
	tableMiscellaneous,
	tableOwn,
	tableOtherVersions,
)

// Notes that many rows share.
const (
	noCache        = "there is no cache"
	noICP          = "no ICP, HTCP or other questions between caches"
	noICAP         = "steers ICAP and eCAP, which are refused where they are enabled"
	noFTP          = "ftp:// is not fetched"
	noWCCP         = "steers WCCP, which is refused"
	noSNMP         = "there is no SNMP agent"
	noDelay        = "traffic is not slowed down yet"
	noShortcircuit = "credentials are looked at in every request: an address proves nobody"
	oldAuth        = "steers authenticate_program, which is refused"
	noKids         = "the workers are parts of one process"
	noPing         = "no host is pinged"
	noIcons        = "no page of ours uses icons"
	errLanguages   = "one of those that the program has: de en es fr it ja nl pl pt ru zh"
	qosNote        = "names are looked up for its acls, helpers of external acls are not asked"
	noMulticast    = "no multicast between caches"
	tuning         = "a setting of Squid's event loop"
	noLoad         = "no load warnings in cache.log yet"
)
