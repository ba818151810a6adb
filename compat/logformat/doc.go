// Package logformat turns the facts of a finished transaction into the line that Squid would
// have logged: the formats squid, common, combined, referrer and useragent, and whatever a
// logformat directive describes with %codes. The same codes make the extras of the line that
// is put to a URL-rewrite helper.
//
// A Format is compiled once, when the configuration is read, and then shared by all workers:
// Append may be called on any goroutine, for it only reads. What Append is given, it reads
// during the call and does not keep.
//
// Codes that Squid knows and that have no meaning here (icap, adapt, ssl and so on) are
// parsed and give "-", as Squid does when it has nothing to say. A code that Squid does
// not know is an error at compilation, in Squid's words.
//
// The package never opens, writes or rotates a log, and never asks the engine for anything
// beyond the record.
//
//	format, err := logformat.Compile(`%ts.%03tu %>a "%rm %ru" %03>Hs %{User-Agent}>h`)
//	if err != nil {
//		return err // Unsupported %code: '%bogus'
//	}
//	format.StripQuery = true
//	buf = format.Append(buf[:0], rec)
//	buf = append(buf, '\n')
package logformat
