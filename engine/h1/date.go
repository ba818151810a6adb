package h1

// DateLayout is the layout of a date in a header field, for time.Time.AppendFormat (RFC 9110,
// section 5.6.7). The time must be in UTC.
const DateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"
