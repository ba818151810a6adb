// Package conf reads squid.conf: files and what they include, lines, words, values; and it knows
// every directive of Squid, in Table.
//
// Package compat calls it, once at the start and once for each reconfiguration, on whatever
// goroutine loads the configuration. Nothing here is shared or kept: Parse returns lines, and the
// caller owns them.
//
// A line lives as long as the caller holds it. It is lexed once, when it is read, as the row of
// its directive says, and knows that row. Its Args walk over the words with readers for Squid's types
// of values, and are used up by the setter that walks. Lists in files are not read before Items is
// called.
//
// The package keeps no settings, knows no acl types beyond whose values are patterns, and prints
// nothing: messages are returned, in Squid's wording where Squid has one.
//
//	lines, broken := conf.Parse("/etc/squid/squid.conf", conf.Options{})
//	var check conf.Checker
//	for i := range lines {
//		set, err := check.Line(&lines[i], report)
//		if set {
//			err = setters[lines[i].Directive.Name](&lines[i])
//		}
//		if err != nil {
//			return lines[i].Bungle(err)
//		}
//	}
//	check.End(report)
//	return broken // what Parse stopped at comes after the lines before it
package conf
