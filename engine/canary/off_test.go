//go:build !canary

package canary

import (
	"testing"
	"unsafe"
)

// TestNothingIsWritten holds the ordinary build: what is given back stays as it is, is used again, and a
// Loan takes no room.
func TestNothingIsWritten(t *testing.T) {
	b := append(make([]byte, 0, 100), "as it was"...)
	var loan Loan
	loan.Begin(b, Test, 1)
	Spoil(b, Test, 1)
	loan.End(b)
	loan.End(b)
	again := Again(b, Test, 1)
	Misused("nothing comes of it")
	if string(b) != "as it was" || len(again) != 0 || cap(again) != cap(b) || string(again[:9]) != "as it was" {
		t.Errorf("the memory is %q, and what is used again %q", b, again[:9])
	}
	if unsafe.Sizeof(loan) != 0 || On {
		t.Errorf("a Loan has %d bytes", unsafe.Sizeof(loan))
	}
}
