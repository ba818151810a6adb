//go:build canary

package loop_test

import (
	"strings"
	"testing"

	"exaproxy/engine/canary"
	"exaproxy/engine/loop"
)

func TestFreeListSeesWhatIsGivenBackTwice(t *testing.T) {
	var said string
	defer canary.OnMisuse(func(what string) { said = what })()
	list := loop.FreeList[int]{Most: 3}
	one := list.Get()
	list.Put(one)
	list.Put(list.Get())
	if said != "" {
		t.Fatalf("it says %q of what is right", said)
	}
	if list.Put(one); !strings.Contains(said, "a *int was given back twice") {
		t.Errorf("it says %q", said)
	}
}
