package errpage

import (
	"fmt"

	"exaproxy/engine"
)

// Verdict is a decision in a few words, for those who want to know what was, or would be, done: "302 http://…".
func Verdict(d engine.Decision) string {
	switch d.Action {
	case engine.Proceed:
		return "passes"
	case engine.Rewrite:
		return "goes to " + string(d.Target.AppendURL(nil))
	case engine.Redirect:
		return fmt.Sprintf("%d %s", d.Reply.Status, d.URL)
	case engine.Serve, engine.Challenge:
		page := d.Reply.Page
		if page == "" {
			page = "a page of the proxy's"
		}
		return fmt.Sprintf("%d %s", d.Reply.Status, page)
	case engine.Refuse:
		page, status := Name(d.Failure)
		_, page = cutStatus(page)
		return fmt.Sprintf("%d %s", status, page)
	case engine.Pending, engine.Ask:
		return "is asked about once more"
	}
	panic("BUG: a decision without a name")
}
