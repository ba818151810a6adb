// Redirector is an example url_rewrite_program: it sends requests for listed domains elsewhere.
//
//	usage: redirector [BLOCKLIST [URL]]      see README.md
package main

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"strings"
)

const elsewhereByDefault = "http://blocked.invalid/?host=%s"

func main() {
	elsewhere := elsewhereByDefault
	if len(os.Args) > 2 {
		elsewhere = os.Args[2]
	}
	domains, err := readDomains()
	if err != nil {
		fmt.Fprintln(os.Stderr, "redirector:", err)
		os.Exit(1)
	}
	in := bufio.NewReaderSize(os.Stdin, 64<<10)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return // the proxy has ended
		}
		fmt.Fprintln(out, answer(strings.TrimRight(line, "\r\n"), domains, elsewhere))
		// Answers gather while questions wait, and leave before the next has to be waited for.
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

// readDomains reads the list that the command line names, or the one that is built in.
func readDomains() (map[string]bool, error) {
	list := "blocked.example\nads.example.com\ndoubleclick.net\ngambling.example.org\n"
	if len(os.Args) > 1 {
		b, err := os.ReadFile(os.Args[1])
		if err != nil {
			return nil, fmt.Errorf("cannot read the list: %w", err)
		}
		list = string(b)
	}
	domains := map[string]bool{}
	for line := range strings.Lines(list) {
		line, _, _ = strings.Cut(line, "#")
		if name := strings.TrimLeft(strings.ToLower(strings.TrimSpace(line)), "."); name != "" {
			domains[name] = true
		}
	}
	return domains, nil
}

// answer gives the answer to a line.
func answer(line string, domains map[string]bool, elsewhere string) string {
	channel := ""
	words := strings.SplitN(line, " ", 3)
	if len(words) > 1 && words[0] != "" && strings.Trim(words[0], "0123456789") == "" { // concurrency= is on
		channel, words = words[0]+" ", words[1:]
	}
	host := hostOf(words[0])
	if !listed(host, domains) {
		return channel + "ERR"
	}
	to := strings.ReplaceAll(elsewhere, "%s", url.QueryEscape(host))
	return fmt.Sprintf(`%sOK status=302 url="%s"`, channel, to)
}

// hostOf gives the host of a URL, or of the host:port that a CONNECT asks for.
func hostOf(u string) string {
	if _, rest, ok := strings.Cut(u, "://"); ok {
		u = rest
	}
	if end := strings.IndexAny(u, "/?#"); end >= 0 {
		u = u[:end]
	}
	u = u[strings.LastIndex(u, "@")+1:]
	if strings.HasPrefix(u, "[") { // an IPv6 address
		return strings.Trim(u[:strings.Index(u+"]", "]")], "[")
	}
	host, _, _ := strings.Cut(u, ":")
	return strings.TrimRight(strings.ToLower(host), ".")
}

// listed says whether the host or a domain above it is in the list.
func listed(host string, domains map[string]bool) bool {
	for host != "" {
		if domains[host] {
			return true
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return false
}
