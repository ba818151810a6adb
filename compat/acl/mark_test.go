package acl

import (
	"testing"

	"exaproxy/engine"
)

func TestMarks(t *testing.T) {
	for text, want := range map[string]Mark{"5": {5, ^uint32(0)}, "0x10/0xf0": {0x10, 0xf0}, "010": {8, ^uint32(0)}} {
		if m, err := ParseMark(text); err != nil || m != want {
			t.Errorf("%s is %+v, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "x", "1/", "1/2/3", "0x100000000", "-1"} {
		if m, err := ParseMark(text); err == nil {
			t.Errorf("%q is %+v", text, m)
		}
	}
	m := markTest{marks: []Mark{{5, ^uint32(0)}, {0x10, 0xf0}}}
	for mark, want := range map[engine.ConnMark]outcome{
		{}: unknown, {Mark: 5}: unknown, {Mark: 5, Known: true}: match, {Mark: 0x1f, Known: true}: match, {Mark: 0x25, Known: true}: mismatch,
		{Known: true}: mismatch,
	} {
		if got := m.match(&Place{request: &engine.Request{Connection: &engine.Connection{Mark: mark}}}); got != want {
			t.Errorf("of %+v it is %v, want %v", mark, got, want)
		}
	}
	if m.match(&Place{request: &engine.Request{}}) != unknown {
		t.Error("without a connection something is known")
	}
}
