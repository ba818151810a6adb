// Package manager answers requests for the cache manager's pages. None is served yet: whoever asks
// gets the answer that Squid has for a page that it does not have.
//
// A Policy is one worker's. Package compat asks it first of all about a request, on the worker's
// goroutine: what is for the manager is neither put to helpers nor forwarded.
//
// Who may see the manager's pages is not decided here, for there are none to be seen.
package manager
