package acl

import "testing"

func TestProbabilities(t *testing.T) {
	for text, want := range map[string]float64{"0.25": 0.25, "1/4": 0.25, "1:3": 0.25, "3:1": 0.75} {
		if got, ok := parseProbability(text); !ok || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "0", "1", "2", "-1", "1/0", "4/4", "0:1", "1:0", "x", "1/x", "1:", "NaN", "Inf/Inf"} {
		if p, ok := parseProbability(text); ok {
			t.Errorf("%q is %v", text, p)
		}
	}
}
