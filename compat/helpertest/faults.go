package helpertest

import (
	"slices"
	"strings"
)

// A Fault is something wrong with how a program speaks, and what to do about it.
type Fault struct {
	Kind   string `json:"fault"`
	Times  int    `json:"times"`
	First  string `json:"first"` // what was seen, the first time
	Advice string `json:"advice"`
}

// advice is what to do about each kind of fault. Kinds are those of helper.Config.Observe, by their beginnings, and ours.
var advice = []struct{ kind, does string }{
	{"banner", "write nothing before the first line was read: send banners to standard error"},
	{"no channel", "with concurrency= each line begins with a number, and its answer must begin with the same; or set concurrency=0"},
	{"wrong channel", "return the number of each line with its answer, once"},
	{"surplus", "write exactly one line for each line that is read, nothing else to standard output"},
	{"wrote more than", "end every answer with a line feed"},
	{"half a line", "end every answer with a line feed, and flush it"},
	{"silent", "flush the output after each line ($| = 1 in Perl, flush=True in Python, setvbuf in C)"},
	{buffered, "flush the output after each line; until then the proxy gives it a terminal, once it has seen that (pty=auto), or from the start with the option pty=on of its children"},
	{notRead, "read standard input as soon as possible: requests wait until the program is seen to wait for it"},
	{"closed", "keep standard input and output open until the input ends"},
	{"not exiting", "end when standard input ends: else each reload waits for a signal to end it"},
	{atStart, "look at what it wrote to standard error: it ended before it read a line"},
	{"ended", "go on after an answer, and survive every line: bytes that are not UTF-8, and long ones"},
	{"start", "see that the program, its interpreter and its folder may be used by the user that runs the proxy"},
	{deadly, "survive every line: read bytes, not text, and lines of any length; the proxy refuses what three processes died of"},
	{late, "answer every line, with an empty one if there is nothing to say, and soon: clients wait meanwhile, for ever if no url_rewrite_timeout or reqmod_timeout ends that"},
	{garbled, "answer with a block, which begins with ICAP/1.0 and has what its Encapsulated says (docs/reqmod.md), and write nothing else to standard output"},
	{numbered, "set concurrency= among its children if it expects channel numbers, or have it expect none"},
	{unclear, "answer OK, ERR or BH with key=value pairs behind it, or for rewriters an empty line or a URL"},
}

// Kinds of ours.
const (
	buffered = "buffered output"
	deadly   = "died of a line"
	late     = "no answer"
	notRead  = "has not begun to read"   // of package helper, after a minute
	garbled  = "wrote what is no answer" // of package helper: no block
	atStart  = "ended before it read a line"
	numbered = "channel numbers that nobody gave"
	unclear  = "an answer that cannot be used"
)

// Faults are those that were seen, in that order.
type Faults []Fault

// add counts a fault. What nobody knows advice for is none of the program's.
func (f *Faults) add(kind, text string) {
	if strings.HasPrefix(kind, "wrote a line that nobody") || strings.HasPrefix(kind, "wrote half a line that nobody") {
		kind = "surplus" // and the process was replaced for it
	}
	if strings.HasPrefix(kind, "has not answered") && strings.HasSuffix(kind, "half a line") {
		kind = "half a line"
	}
	for _, a := range advice {
		if !strings.HasPrefix(kind, a.kind) {
			continue
		}
		for i := range *f {
			if (*f)[i].Kind == a.kind {
				(*f)[i].Times++
				return
			}
		}
		*f = append(*f, Fault{a.kind, 1, text, a.does})
		return
	}
}

// consequences are kinds of faults that follow from others, which say more.
var consequences = []struct {
	of   string
	what []string
}{
	{"no channel", []string{"silent", late}},
	{"wrong channel", []string{"silent", late}},
	{"half a line", []string{"silent", late}},
	{buffered, []string{"silent", late}},
	{late, []string{"silent"}},
	{notRead, []string{"not exiting"}},
}

// of completes the advice for a kind of program that answers otherwise than others.
func (f Faults) of(kind string) Faults {
	own := map[string]string{
		"digest": `answer OK ha1="…" with the MD5 of user, realm and password in hexadecimal digits, or ERR or BH`,
		"reqmod": "answer 204, or 200 with a request or a reply, as docs/reqmod.md has them",
	}[kind]
	for i := range f {
		if own != "" && f[i].Kind == unclear {
			f[i].Advice = own
		}
	}
	return f
}

// causes leaves out what follows from other faults.
func (f Faults) causes() Faults {
	return slices.DeleteFunc(slices.Clone(f), func(one Fault) bool {
		for _, c := range consequences {
			if f.has(c.of) && slices.Contains(c.what, one.Kind) {
				return true
			}
		}
		return one.Kind == "ended" && one.Times <= f.count(deadly)
	})
}

// has says whether there was a fault of a kind.
func (f Faults) has(kind string) bool { return f.count(kind) > 0 }

// count is how often there was one.
func (f Faults) count(kind string) int {
	for i := range f {
		if f[i].Kind == kind {
			return f[i].Times
		}
	}
	return 0
}
