package acceptance

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// runHelper is a helper of any kind, the one process that these tests need and no package provides. It
// answers every line, or block of reqmod_program, by the first rule whose word is in it.
//
//	helper [-blocks] [-record FILE] [-rules FILE] [-answer TEXT] [-channels]
//
// A rule is a line WORD<TAB>ANSWER. In answers {id} is the line's first word, the channel
// number if there are channels, and {url} what is asked about; an answer is written as it is, so it
// needs its own \n; the answer "silence" is none. Behind an answer, or alone, "exit" ends the helper,
// "deaf" has it close its input and "mute" its output, and live on.
func runHelper(args []string) {
	flags := flag.NewFlagSet("helper", flag.ExitOnError)
	record := flags.String("record", "", "a file to write every line to")
	rules := flags.String("rules", "", "a file of rules")
	answer := flags.String("answer", `ERR\n`, "the answer to lines that no rule is for")
	channels := flags.Bool("channels", false, "begin answers to lines that no rule is for with the channel number")
	blocks := flags.Bool("blocks", false, "read blocks instead of lines")
	flags.Parse(args)
	h := &scriptedHelper{answer: unescape(*answer), channels: *channels}
	if err := h.open(*record, *rules); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	in, read := bufio.NewReaderSize(os.Stdin, 1<<20), readLine
	if *blocks {
		read = readBlock
	}
	for {
		line, err := read(in)
		if len(line) > 0 {
			h.hear(line)
		}
		if err != nil {
			return
		}
	}
}

func readLine(in *bufio.Reader) ([]byte, error) { return in.ReadBytes('\n') }

// readBlock reads a question of reqmod_program: lines up to an empty one, then as many bytes as Encapsulated says.
func readBlock(in *bufio.Reader) (block []byte, err error) {
	length := 0
	for {
		line, err := in.ReadBytes('\n')
		block = append(block, line...)
		if err != nil {
			return block, err
		}
		if len(line) == 1 && len(block) > 1 {
			break
		}
		if encapsulated, ok := bytes.CutPrefix(line, []byte("Encapsulated: ")); ok {
			_, last, _ := bytes.Cut(encapsulated, []byte("null-body="))
			length, _ = strconv.Atoi(string(bytes.TrimSpace(last)))
		}
	}
	block = append(block, make([]byte, length)...)
	_, err = io.ReadFull(in, block[len(block)-length:])
	return block, err
}

type scriptedHelper struct {
	record   *os.File
	rules    []rule
	answer   string
	channels bool
}

type rule struct{ word, answer string }

func (h *scriptedHelper) open(record, rules string) (err error) {
	if record != "" {
		if h.record, err = os.OpenFile(record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666); err != nil {
			return err
		}
	}
	if rules == "" {
		return nil
	}
	text, err := os.ReadFile(rules)
	for line := range strings.Lines(string(text)) {
		word, answer, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		h.rules = append(h.rules, rule{word, unescape(answer)})
	}
	return err
}

// hear records a line and answers it.
func (h *scriptedHelper) hear(line []byte) {
	lookAtLine(line)
	if h.record != nil {
		h.record.Write(line) // in one call, before the answer: who has the answer finds the line
	}
	id, rest, _ := strings.Cut(string(line), " ")
	url := id
	if h.channels {
		url, _, _ = strings.Cut(rest, " ")
	}
	for _, r := range h.rules {
		if bytes.Contains(line, []byte(r.word)) {
			h.say(r.answer, id, url)
			return
		}
	}
	if h.channels {
		h.say("{id} "+h.answer, id, url)
		return
	}
	h.say(h.answer, id, url)
}

func (h *scriptedHelper) say(answer, id, url string) {
	if answer == "silence" {
		return
	}
	answer, exits := strings.CutSuffix(answer, "exit")
	answer, deaf := strings.CutSuffix(answer, "deaf")
	answer, mute := strings.CutSuffix(answer, "mute")
	os.Stdout.WriteString(strings.NewReplacer("{id}", id, "{url}", url).Replace(answer))
	switch {
	case exits:
		os.Exit(1)
	case deaf:
		syscall.Close(0)
		time.Sleep(time.Hour) // or until it is terminated
	case mute:
		syscall.Close(1)
	}
}

// unescape makes line ends and tabs of \n and \t: squid.conf has no way to write them.
func unescape(s string) string {
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\s`, " ").Replace(s)
}

// writeRules writes a file of rules: word, answer, word, answer…
func writeRules(t testing.TB, dir string, pairs ...string) string {
	t.Helper()
	var text strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&text, "%s\t%s\n", pairs[i], pairs[i+1])
	}
	return writeFile(t, dir, "rules", text.String())
}
