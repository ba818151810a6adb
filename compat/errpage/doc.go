// Package errpage makes what a client is shown when a transaction did not go as asked: the
// page, and the header fields that go with it in Squid's order.
//
// It knows which of Squid's pages belongs to which failure (Name), and writes that page, in our
// own words or from the administrator's templates (error_directory), with the %-codes of Squid
// filled in. All that comes from a client or a server is escaped on its way into a page; only
// what the administrator wrote is trusted to be HTML.
//
// It is also the feature of the directives error_directory, err_page_stylesheet, err_html_text,
// email_err_data and cache_mgr: package compat takes Settings from a configuration, on the goroutine
// that reads it. Settings, Pages and Identity do not change afterwards and are shared by all workers.
// A Policy is one worker's; compat, and the features that answer with pages, call it on that worker's
// goroutine.
//
// The package sends nothing, and knows neither status lines nor the Connection field; those
// are the engine's. It offers one language.
//
//	pages, warnings := errpage.Load("/etc/squid/errors", nil, os.ReadFile)
//	…
//	page, status := errpage.Name(f)
//	body := pages.Append(nil, page, &errpage.Values{Request: r, Failure: f, Now: now, Host: "proxy.example"})
//	fields := self.AppendError(nil, &errpage.Head{Page: page, Errno: errpage.Errno(f),
//		Length: len(body), Language: pages.Language, LookedUp: errpage.LookedUp(f), Now: now})
package errpage
