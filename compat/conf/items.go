package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// An Item is one value of an acl or of another list, with the place where it stands.
type Item struct {
	Text string
	Pos  Pos
}

// Items are the values of the line from token number from on. A token that names a file stands
// for the items in it: one a line, without comments and blank lines. open may be nil for os.Open.
//
// A file that cannot be opened is not an error: as in Squid it ends the values, with a
// warning; what an acl without values means is the caller's business. One that may not be read is:
// Squid reads lists as root, and a reload after root was given up would empty those that root alone
// can read. The error is an Invalid.
func (l *Line) Items(from int, open Open) (items []Item, warnings []string, err error) {
	if open == nil {
		open = FromDisk(os.Open)
	}
	for _, token := range l.Tokens[min(from, len(l.Tokens)):] {
		path, ok := token.List()
		if !ok {
			items = append(items, Item{token.Text, l.Pos})
			continue
		}
		file, err := open(path)
		switch {
		case err != nil && token.File:
			return nil, nil, Invalid{"WARNING: file :" + path + " not found", "FATAL: Error opening config file: parameters"}
		case (errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrNoFile)):
			return nil, nil, invalid("ERROR: Can not open file %s for reading: %s", path, SystemText(err))
		case err != nil:
			return items, []string{fmt.Sprintf("ERROR: Can not open file %s for reading", path)}, nil
		}
		items, err = l.list(items, file, path, open, 0)
		file.Close()
		if err != nil {
			return nil, nil, err
		}
	}
	return items, nil, nil
}

// list appends the items of one file. It reads the file as a whole: items are views of one
// string, and lists of a million domains are nothing unusual.
func (l *Line) list(items []Item, file io.Reader, path string, open Open, depth int) ([]Item, error) {
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, invalid("ERROR: Can not read file %s: %s", path, SystemText(err))
	}
	items = slices.Grow(items, bytes.Count(content, newline)+1)
	pos := Pos{File: path, From: &l.Pos}
	for text := range strings.SplitSeq(string(content), "\n") {
		pos.Line++
		if l.dialect.quotes {
			if items, err = l.quotedItems(items, text, pos, open, depth); err != nil {
				return nil, err
			}
		} else if item := plainItem(text); item != "" {
			items = append(items, Item{item, pos})
		}
	}
	return items, nil
}

var newline = []byte("\n")

// plainItem is the item on a line of a list: all of it up to a word that begins with #. Blanks
// inside belong to the item.
func plainItem(text string) string {
	text = strings.Trim(text, space)
	if strings.IndexByte(text, '#') < 0 {
		return text
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '#' && (i == 0 || strings.IndexByte(space, text[i-1]) >= 0) {
			return strings.TrimRight(text[:i], space)
		}
	}
	return text
}

// quotedItems appends the words of a line of a parameters() file, which may name more files.
func (l *Line) quotedItems(items []Item, text string, pos Pos, open Open, depth int) ([]Item, error) {
	x := lexer{rest: text, dialect: l.dialect}
	for {
		token, ok, err := x.next()
		if err != nil || !ok {
			return items, err
		}
		if !token.File {
			items = append(items, Item{token.Text, pos})
			continue
		}
		if depth >= maxNesting {
			return nil, invalid("FATAL: can't open %s for reading parameters: includes are nested too deeply (>16)!", token.Text)
		}
		file, err := open(token.Text)
		if err != nil {
			return nil, Invalid{"WARNING: file :" + token.Text + " not found", "FATAL: Error opening config file: parameters"}
		}
		items, err = l.list(items, file, token.Text, open, depth+1)
		file.Close()
		if err != nil {
			return nil, err
		}
	}
}
