// Package reportonly is for trying a filter on people who are not to notice (#exaproxy report_only): what the helper, or
// lines of http_access that deny, would do to a request is noted and logged, and the request goes on.
//
// The two that would have done it do not do it themselves: an access list goes on as if the line were not there
// (acl.List.ReportOnly), and the redirector's policy proceeds. They tell Policy.Spare, on the worker's goroutine.
// Everything else refuses as ever, and which lines may be only reported is decided when the file is read: none that says
// who may use the proxy.
package reportonly
