package conf

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
)

// Match names the files that a pattern matches: it is glob(3) over the file system. Unlike filepath.Glob it leaves out hidden files and knows [!a].
func Match(pattern string) ([]string, error) {
	found, err := filepath.Glob(strings.ReplaceAll(pattern, "[!", "[^"))
	if err != nil {
		return nil, err
	}
	names := found[:0]
	for _, name := range found {
		if !hidden(pattern, name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// hidden reports whether a part of name begins with a period that the pattern does not have.
func hidden(pattern, name string) bool {
	patterns, parts := strings.Split(pattern, "/"), strings.Split(name, "/")
	if len(patterns) != len(parts) {
		return false
	}
	for i, part := range parts {
		if strings.HasPrefix(part, ".") && !strings.HasPrefix(patterns[i], ".") {
			return true
		}
	}
	return false
}

// notFound words why nothing was found.
func notFound(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return SystemText(syscall.ENOENT)
	}
	return SystemText(err)
}

// ShellWords splits at blanks. Double quotes keep them in the word, and a backslash between such
// quotes keeps a quote.
func ShellWords(text string) []string {
	var words []string
	var word []byte
	inWord, inQuotes := false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && inQuotes && i+1 < len(text):
			i++
			word, inWord = append(word, text[i]), true
		case c == '"':
			inQuotes, inWord = !inQuotes, true
		case !inQuotes && strings.IndexByte(isspace, c) >= 0:
			if inWord {
				words = append(words, string(word))
			}
			word, inWord = nil, false
		default:
			word, inWord = append(word, c), true
		}
	}
	if inWord {
		words = append(words, string(word))
	}
	return words
}
