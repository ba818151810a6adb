package acceptance

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A wayward helper is a redirector of the storm. All die of a line that is no UTF-8. Beyond that each has a fault,
// one after the other of those that are named.
//
//	wayward -dir FOLDER -page URL [-channels] [-faults banner,slow-start,…]
type wayward struct {
	page     string
	channels bool
	fault    fault
	asked    int
	record   *os.File // what each was asked, and what it answered
	in       *bufio.Reader
}

// A fault is what is wrong with a helper.
type fault struct {
	begin func()
	// answer makes of a whole answer, with its line end, what is written.
	answer func(h *wayward, text string) string
}

const rare = 40 // faults that cost a question show in one of so many

var faults = map[string]fault{
	"none":       {},
	"banner":     {begin: func() { fmt.Print("Config Path=/etc/redirector.conf\nready\n> ") }},
	"slow-start": {begin: func() { <-time.After(time.Second) }},
	"slow":       {answer: func(h *wayward, text string) string { <-time.After(50 * time.Millisecond); return text }},
	"dies": {answer: func(h *wayward, text string) string {
		if h.asked%rare == 0 {
			os.Exit(3)
		}
		return text
	}},
	"crashes": {answer: func(h *wayward, text string) string { // behind its answer
		if h.asked%rare == 0 {
			os.Stdout.WriteString(text)
			os.Exit(255)
		}
		return text
	}},
	"twice": {answer: func(h *wayward, text string) string {
		id, _, _ := strings.Cut(text, " ")
		if !h.channels {
			id = ""
		}
		return text + strings.TrimSpace(id+" OK status=302 url=http://elsewhere.test/") + "\n"
	}},
	"chatty": {answer: func(h *wayward, text string) string { fmt.Fprintln(os.Stderr, "asked", h.asked); return text }},
}

func runWayward(args []string) {
	flags := flag.NewFlagSet("wayward", flag.ExitOnError)
	dir := flags.String("dir", "", "where the helpers count themselves")
	page := flags.String("page", "", "what blocked URLs are rewritten to")
	channels := flags.Bool("channels", false, "lines begin with a channel number")
	names := flags.String("faults", "none", "of the helpers, in their order")
	flags.Parse(args)
	all := strings.Split(*names, ",")
	h := &wayward{page: *page, channels: *channels, fault: faults[all[ordinal(*dir)%len(all)]], in: bufio.NewReaderSize(os.Stdin, 1<<20)}
	h.record, _ = os.OpenFile(filepath.Join(*dir, answersName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if h.fault.begin != nil {
		h.fault.begin()
	}
	for {
		line, err := h.in.ReadBytes('\n')
		if err != nil {
			return
		}
		h.hear(line)
	}
}

// ordinal is how many helpers were started before.
func ordinal(dir string) int {
	file, err := os.OpenFile(filepath.Join(dir, "helpers"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return 0
	}
	defer file.Close()
	at, err := file.Seek(0, 2)
	file.Write([]byte{'.'})
	if err != nil {
		return 0
	}
	return int(at)
}

func (h *wayward) hear(line []byte) {
	if !utf8.Valid(line) {
		fmt.Fprintln(os.Stderr, "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff")
		os.Exit(1)
	}
	h.asked++
	words := bytes.Fields(line)
	text := ""
	if h.channels {
		text, words = string(words[0])+" ", words[1:]
	}
	text += h.verdict(string(words[0])) + "\n"
	if h.fault.answer != nil {
		text = h.fault.answer(h, text)
	}
	os.Stdout.WriteString(text)
	fmt.Fprintf(h.record, "%s pid %d #%d asked %.200q says %.200q\n", time.Now().Format(time.StampMicro), os.Getpid(), h.asked, line, text)
}

// answersName is the file that helpers write to what they answered.
const answersName = "answers"

// verdict judges a URL, or the host and port of a CONNECT.
func (h *wayward) verdict(asked string) string {
	host, _, _ := strings.Cut(asked, ":")
	u, err := url.Parse(asked)
	if err == nil && u.Host != "" {
		host = u.Hostname()
	}
	switch {
	case strings.Contains(host, forbiddenName) || strings.Contains(asked, "//"+forbiddenName):
		return "OK status=302 url=" + blockPage + "?u=" + asked
	case host == rewrittenName:
		return "OK rewrite-url=" + h.page + "?u=" + asked
	case u != nil && strings.HasPrefix(u.Path, "/marked/"):
		return "OK rewrite-url=" + asked + "?mark"
	}
	return "ERR"
}

// helpers are the children of the proxy that redirect.
func (s *storm) helpers() (all []int) {
	for _, pid := range children(s.x.pid()) {
		if strings.TrimSpace(readAll(filepath.Join("/proc", strconv.Itoa(pid), "comm"))) != filepath.Base(built.proxy) {
			all = append(all, pid)
		}
	}
	return all
}
