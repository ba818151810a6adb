package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A config is what the configuration says. README.md describes the file.
type config struct {
	path       string
	lists      string   // the folder of the categories' folders
	redirect   template // where blocked requests go, if their rule says nothing else
	sources    []source
	times      []hours
	rules      []rule
	safe       []safeRule
	categories []string // those that rules name, by their numbers
	lines      []int    // where each is named first
	checkEvery time.Duration
}

type action string

const (
	block   action = "block"
	allow   action = "allow"
	rewrite action = "rewrite"
)

// A rule decides about the requests that are in one of its categories. The first that matches decides.
type rule struct {
	action     action
	categories []int // or one of those below
	condition
	to   template
	line int
}

// Categories that need no folder.
const (
	everything = -1 - iota // "all"
	addresses              // "addresses": the host is an address, not a name
)

// readConfig reads a configuration. Errors name file and line.
func readConfig(path string) (*config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &config{path: path, checkEvery: 10 * time.Second}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		if at := slices.IndexFunc(words, func(w string) bool { return w[0] == '#' }); at >= 0 {
			words = words[:at]
		}
		if len(words) == 0 {
			continue
		}
		if err := c.set(words[0], words[1:], number); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", path, number, words[0], err)
		}
	}
	switch {
	case c.redirect == nil:
		return nil, fmt.Errorf("%s: it has no line \"redirect URL\": where shall blocked requests go?", path)
	case c.lists == "" && len(c.categories) > 0:
		return nil, fmt.Errorf("%s: it has no line \"lists FOLDER\", and rules that name categories", path)
	case len(c.rules) == 0 && len(c.safe) == 0:
		return nil, fmt.Errorf("%s: it has no rule", path)
	}
	return c, nil
}

// set takes one line.
func (c *config) set(name string, words []string, line int) (err error) {
	if len(words) == 0 && name != "safesearch" {
		return errors.New("a value is missing")
	}
	switch name {
	case "lists":
		return c.setLists(words)
	case "redirect":
		c.redirect, err = parseRedirect(words[0])
		return errors.Join(err, only(words, 1))
	case "check_every":
		seconds, err := strconv.Atoi(words[0])
		if err != nil || seconds < 1 || seconds > 86400 {
			return fmt.Errorf("%q is not 1 to 86400 seconds", words[0])
		}
		c.checkEvery = time.Duration(seconds) * time.Second
		return only(words, 1)
	case "source":
		return c.addSource(words)
	case "time":
		return c.addHours(words)
	case string(block), string(allow), string(rewrite):
		return c.addRule(action(name), words, line)
	case "safesearch":
		return c.addSafe(words)
	}
	return errors.New("no such directive: there are lists, redirect, check_every, source, time, block, allow, rewrite and safesearch")
}

func only(words []string, n int) error {
	if len(words) > n {
		return fmt.Errorf("%q is too much", words[n])
	}
	return nil
}

func (c *config) setLists(words []string) error {
	c.lists = words[0]
	if !filepath.IsAbs(c.lists) { // helpers are started who knows where
		c.lists = filepath.Join(filepath.Dir(c.path), c.lists)
	}
	found, err := os.Stat(c.lists)
	if err == nil && !found.IsDir() {
		err = fmt.Errorf("%s is not a folder", c.lists)
	}
	return errors.Join(err, only(words, 1))
}

func parseRedirect(s string) (template, error) {
	if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		return nil, fmt.Errorf("%q does not begin with http:// or https://", s)
	}
	return parseTemplate(s)
}

// addRule takes ACTION CATEGORY... [from=SOURCE,...] [during=TIME,...] [to=URL].
func (c *config) addRule(a action, words []string, line int) error {
	r := rule{action: a, line: line, to: c.redirect}
	if a == rewrite {
		r.to = nil
	}
	for _, w := range words {
		if to, ok := strings.CutPrefix(w, "to="); ok && a != allow {
			to, err := parseRedirect(to)
			if err != nil {
				return err
			}
			r.to = to
			continue
		}
		if taken, err := r.condition.take(c, w); taken || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		n, err := c.category(w, line)
		if err != nil {
			return err
		}
		r.categories = append(r.categories, n)
	}
	switch {
	case len(r.categories) == 0:
		return errors.New(`no category is named; "all" stands for every request`)
	case r.to == nil && a == rewrite:
		return errors.New("to=URL is missing")
	case r.to == nil && a == block:
		return errors.New(`to=URL is missing, and no line "redirect URL" stands above`)
	}
	c.rules = append(c.rules, r)
	return nil
}

// category returns the number of a category.
func (c *config) category(name string, line int) (int, error) {
	switch {
	case name == "all":
		return everything, nil
	case name == "addresses":
		return addresses, nil
	case strings.Contains(name, "="):
		return 0, fmt.Errorf("%q: there are from=, during= and to=", name)
	}
	if name = filepath.Clean(name); !filepath.IsLocal(name) {
		return 0, fmt.Errorf("%q is not a folder in that of the lists", name)
	}
	if n := slices.Index(c.categories, name); n >= 0 {
		return n, nil
	}
	if len(c.categories) == maxCategories {
		return 0, fmt.Errorf("%q is one category too many: there may be %d", name, maxCategories)
	}
	c.categories = append(c.categories, name)
	c.lines = append(c.lines, line)
	return len(c.categories) - 1, nil
}

// nameOf names a category by its number.
func (c *config) nameOf(category int) string {
	switch category {
	case everything:
		return "all"
	case addresses:
		return "addresses"
	}
	return c.categories[category]
}
