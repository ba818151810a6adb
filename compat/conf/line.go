package conf

import (
	"fmt"
	"strconv"
	"strings"
)

// Pos says where a line stands. A line continued with backslashes stands where its last
// physical line does, as in Squid's messages.
type Pos struct {
	File string // as the command line or the include line named it
	Line int    // from 1
	From *Pos   // the include line that led to File; nil in the main file
}

// String is the form of Squid's "unrecognized" message: squid.conf(12).
func (p Pos) String() string {
	return p.File + "(" + strconv.Itoa(p.Line) + ")"
}

// Placed is a message about the line with the line's place behind it, so that Squid's words stay as they are; one that has
// the place already is left alone.
func (p Pos) Placed(text string) string {
	for _, form := range [...]string{"%s(%d)", "%s line %d", "%s, line %d"} {
		if strings.Contains(text, fmt.Sprintf(form, p.File, p.Line)) {
			return text
		}
	}
	return fmt.Sprintf("%s (%s line %d)", text, p.File, p.Line)
}

// Chain is String followed by the include lines that led there, innermost first.
func (p Pos) Chain() string {
	var b strings.Builder
	b.WriteString(p.String())
	for from := p.From; from != nil; from = from.From {
		b.WriteString(", included from " + from.String())
	}
	return b.String()
}

// LineType distinguishes the lines that set something from those that control the reading.
type LineType uint8

const (
	Setting LineType = iota // a directive with its values
	Control                 // if, else, endif, include, what a false if leaves out, a broken line: only echoed
	Opened                  // a file is opened: only echoed
)

// A Line is one logical line: continuation joined, macros expanded, comment lines gone.
type Line struct {
	Type  LineType
	Pos   Pos
	Text  string // the whole line as Squid shows it after "Processing: "
	Input string // the last physical line, which Squid shows after "Bungled"

	Lost   string // a line behind it that ends in a backslash, and the file with it: as in Squid it sets nothing; "": none
	Broken Report // what is wrong with the line itself, if Options.Whole; else nil

	// The others are only set if Type is Setting.

	Name      string     // the directive as written
	Directive *Directive // its row in Table; nil if no Squid knows the name
	Rest      string     // what follows the name
	Tokens    []Token    // the words of Rest, as the directive wants them
	Own       bool       // written as "#exaproxy NAME VALUE", a comment to Squid

	dialect dialect // of Rest, and of the files that Tokens name
}

// Echo is what squid -k parse prints, after the date, when it comes to the line.
func (l *Line) Echo() string {
	if l.Type == Opened {
		return "Processing Configuration File: " + l.Text
	}
	return "Processing: " + l.Text
}

// written is the name of the directive with the mark of a comment of ours.
func (l *Line) written() string {
	if l.Own {
		return ownMark + " " + l.Name
	}
	return l.Name
}

// A Token is a word of a line.
type Token struct {
	Text   string
	Quoted bool // the quotes round it were syntax, and are gone
	File   bool // it was parameters("Text"): the words stand in the file Text

	end uint32 // where it ends in Line.Rest; four bytes, for there are many tokens
}

// List is the file that the token names as a list of items: "/path" where quotes do not
// delimit strings, parameters("/path") where they do.
func (t Token) List() (path string, ok bool) {
	if t.File {
		return t.Text, true
	}
	if t.Quoted || t.Text == "" || (t.Text[0] != '"' && t.Text[0] != '\'') {
		return "", false
	}
	path = t.Text[1:]
	if end := strings.IndexAny(path, `"'`); end >= 0 {
		path = path[:end]
	}
	return path, true
}
