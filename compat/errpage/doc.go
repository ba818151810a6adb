// Package errpage makes what a client is shown when a transaction did not go as asked: the
// page, and the header fields that go with it in Squid's order.
//
// It knows which of Squid's pages belongs to which failure (Name), and writes that page, in our
// own words or from the administrator's templates (error_directory), with the %-codes of Squid
// filled in. All that comes from a client or a server is escaped on its way into a page; only
// what the administrator wrote is trusted to be HTML.
//
// Our words are in several languages, each a file of texts that a client's Accept-Language chooses (language.go, choose.go); they
// are parsed once in the life of the program. Part of a web page that is refused may get something
// small of its own type instead (fitted.go). Of what clients say that is secret nothing goes into a page (secrets.go).
//
// It is also the feature of the directives error_directory, error_default_language, error_log_languages, err_page_stylesheet,
// err_html_text, email_err_data, cache_mgr and fitted_pages: package compat takes Settings from a configuration, on the goroutine
// that reads it. Settings, Pages and Identity do not change afterwards and are shared by all workers.
// A Policy is one worker's; compat, and the features that answer with pages, call it on that worker's
// goroutine.
//
// The package sends nothing, and knows neither status lines nor the Connection field; those
// are the engine's.
//
//	pages := errpage.Default()
//	warnings := pages.Load("/etc/squid/errors", nil, os.ReadFile)
//	…
//	name, status := errpage.Name(f)
//	page := pages.Choose(name, request, nil)
//	body := page.Append(nil, &errpage.Values{Request: request, Failure: f, Now: now, Host: "proxy.example"})
//	fields := self.AppendError(nil, &errpage.Head{Page: name, Errno: errpage.Errno(f),
//		Length: len(body), Language: page.Language, Lookup: errpage.LookupOf(r, f), Now: now})
package errpage
