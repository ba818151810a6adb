// Package rewrite speaks the language of Squid's URL-rewrite helpers: it writes the line that
// puts a request to a helper and reads the line that comes back, in both of Squid's
// generations and in that of the first ExaProxy.
//
// Its functions have no state and are called on the worker's goroutine, by the policy. An Answer
// is a value of a few words; its slices are views of the answer, or of memory of their own
// where the answer was escaped, so it is good for as long as the answer is left alone.
//
// The answers, by generation:
//
//	(nothing)  ERR                                  Unchanged
//	OK rewrite-url="http://…"                       Rewrite      Squid 3.4 and later
//	OK [status=302] url="http://…"                  Redirect
//	BH [message="…"]                                Again
//	http://…                                        Rewrite      Squid 1.1 to 3.3
//	302:http://…                                    Redirect
//	[status=403] file://NAME                        File                 ExaProxy 1.x
//	intercept://HOST:PORT                           Intercept
//	redirect://http://…                             Redirect
//
// Anything else is Invalid, with the sentence that Squid would put into cache.log. What is
// done about it is the policy's business, as is asking again.
//
// The package knows neither channel numbers nor line ends; those are the helper pool's. It
// logs nothing.
//
//	line := rewrite.Append(nil, nil, rec) // http://a.example/ 192.0.2.1/192.0.2.1 - GET myip=… myport=…
//	…
//	switch a := rewrite.Parse(answer, r, h1.Strip); a.Action {
//	case rewrite.Rewrite:
//		return engine.Decision{Action: engine.Rewrite, Target: a.Target}
//	…
//	}
package rewrite
