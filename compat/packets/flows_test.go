package packets

import (
	"fmt"
	"strings"
	"testing"

	"exaproxy/compat/acl"
	"exaproxy/compat/compattest"
	"exaproxy/engine"
)

// TestFlows has what Squid 5.7 gave to packets; cmd/exaproxy/acceptance has both give it, for some of these.
func TestFlows(t *testing.T) {
	for conf, want := range map[string]*engine.ReplyPackets{
		"qos_flows":                           nil,
		"qos_flows tos":                       {TOS: 0, Mark: -1},
		"qos_flows tos disable-preserve-miss": nil,
		"qos_flows tos local-hit=0 disable-preserve-miss":                          nil,
		"qos_flows tos disable-preserve-miss local-hit=1":                          {TOS: 0, Mark: -1},
		"qos_flows tos miss=0x33":                                                  {TOS: 0x30, Mark: -1},
		"qos_flows miss=0x30/0x10":                                                 {TOS: 0x10, Mark: -1},
		"qos_flows tos disable-preserve-miss miss=48/16":                           {TOS: 0x10, Mark: -1},
		"qos_flows tos miss=0x30/0x1ff":                                            {TOS: 0x30, Mark: -1},
		"qos_flows mark":                                                           {TOS: -1, Mark: 0, Kept: allMarks},
		"qos_flows mark miss=0xa0":                                                 {TOS: -1, Mark: 0xa0},
		"qos_flows mark miss=0xa7/0xf0":                                            {TOS: -1, Mark: 0xa0, Kept: 0xffffff0f},
		"qos_flows mark miss=0xa0/0xf0 miss-mask=0x1f":                             {TOS: -1, Mark: 0xa0, Kept: 0x0f},
		"qos_flows mark miss-mask=0x0f":                                            {TOS: -1, Mark: 0, Kept: 0x0f},
		"qos_flows mark miss=1/q":                                                  {TOS: -1, Mark: 1},
		"qos_flows mark miss=7 disable-preserve-miss":                              {TOS: -1, Mark: 7},
		"qos_flows mark sibling-hit=7 parent-hit=0xffffffff disable-preserve-miss": {TOS: -1},
		"qos_flows tos miss=0x40\nqos_flows mark miss=7":                           {TOS: 0x40, Mark: 7},
		"qos_flows mark miss=0xa0/0xf0 disable-preserve-miss\nqos_flows mark":      {TOS: -1, Mark: 0xa0, Kept: 0xffffff0f},
		"qos_flows tos local-hit=1 sibling-hit=0 disable-preserve-miss":            {TOS: 0, Mark: -1},
		"qos_flows tos miss=0x30/0x110":                                            {TOS: 0x30, Mark: -1},
		"qos_flows mark miss-mask=0":                                               {TOS: -1, Mark: 0},
		"qos_flows mark miss-mask=0xf0\nqos_flows mark miss-mask=0x0f":             {TOS: -1, Mark: 0, Kept: 0x0f},
	} {
		var s Settings
		compattest.MustRead(t, acl.NewSet(), s.Directives(), conf)
		var c engine.Config
		s.Configure(&c)
		if got, wanted := fmt.Sprintf("%+v", c.ReplyPackets), fmt.Sprintf("%+v", want); got != wanted {
			t.Errorf("%q makes it %s, want %s", conf, got, wanted)
		}
		if asks := want != nil && want.Kept != 0; s.ConnMarks() != asks {
			t.Errorf("%q: marks of connections are asked for: %v", conf, !asks)
		}
	}
}

func TestFlowsThatAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"qos_flows tos miss=256":                          "Bad TOS miss value 256",
		"qos_flows tos miss=0x30foo":                      "Bad TOS miss value 0x30foo",
		"qos_flows tos miss":                              "Bad TOS miss value ",
		"qos_flows mark miss=0x100000000":                 "Bad mark miss value 0x100000000",
		"qos_flows local-hit=x":                           "Bad TOS local-hit value x",
		"qos_flows mark sibling-hit=-1":                   "Bad mark sibling-hit value -1",
		"qos_flows tos parent-hit=300":                    "Bad TOS parent-hit value 300",
		"qos_flows tos miss-mask=300":                     "Bad TOS miss-mark value 300",
		"qos_flows tos disable-preserve-miss miss-mask=3": "miss-mask feature cannot be set without miss-preservation enabled",
		"qos_flows tos miss-mask=3 disable-preserve-miss": "miss-mask feature cannot be set with disable-preserve-miss",
		"qos_flows tos frobnicate=0x30":                   "unknown option 'frobnicate=0x30'",
		"qos_flows miss=3 mark":                           "unknown option 'mark' (tos or mark stands first)",
	} {
		var s Settings
		if _, err := compattest.Read(acl.NewSet(), s.Directives(), line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", line, err, want)
		}
	}
}
