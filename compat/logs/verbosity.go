package logs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Verbosity is debug_options: up to which level each section of the program speaks.
// 0 is what endangers service, 1 what an administrator wants to know, 9 everything.
type Verbosity struct {
	All      int
	Sections map[int]int // those that differ; read only
}

// level is that of a section; -1 is a section of no number.
func (v *Verbosity) level(section int) int {
	if l, ok := v.Sections[section]; ok {
		return l
	}
	return v.All
}

// ParseVerbosity reads the value of debug_options: "ALL,1 33,2", a bare number meaning ALL.
// The option rotate=N of Squid, which concerns its file, is taken and has no effect here.
func ParseVerbosity(text string) (Verbosity, error) {
	v := Verbosity{All: 1}
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "#") {
			break // a comment
		}
		if strings.HasPrefix(word, "rotate=") {
			continue
		}
		section, level, found := strings.Cut(word, ",")
		if !found {
			section, level = "ALL", word
		}
		n, err := strconv.Atoi(level)
		if err != nil {
			return v, fmt.Errorf("debug_options: no level in '%s'", word)
		}
		n = max(0, min(n, 9))
		if section == "ALL" {
			v.All, v.Sections = n, nil
			continue
		}
		number, err := strconv.Atoi(section)
		if err != nil || number < 0 || number > 99 {
			return v, fmt.Errorf("debug_options: no such section '%s'", section)
		}
		if v.Sections == nil {
			v.Sections = make(map[int]int)
		}
		v.Sections[number] = n
	}
	return v, nil
}

// String is the value of debug_options: "ALL,1 33,2".
func (v Verbosity) String() string {
	text := fmt.Sprintf("ALL,%d", v.All)
	for _, section := range slices.Sorted(maps.Keys(v.Sections)) {
		text += fmt.Sprintf(" %d,%d", section, v.Sections[section])
	}
	return text
}
