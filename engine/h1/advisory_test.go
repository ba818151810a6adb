package h1

import (
	"strings"
	"testing"
)

// TestAdvisoryTinyChunks counts the work that a million chunks of a byte each are, however they arrive: the bytes that are looked
// at again since a chunk's size was not complete. SQUID-2024:1 is that each chunk of a piece costs a stack frame.
func TestAdvisoryTinyChunks(t *testing.T) {
	for what, row := range map[string]struct {
		chunk string
		count int
		again int // at most, for each byte
	}{
		"as small as can be": {"1\r\nx\r\n", 1_000_000, 1},
		"with leading zeros": {strings.Repeat("0", maxSizeToken-1) + "1\r\nx\r\n", 50_000, maxSizeToken},
	} {
		for _, piece := range []int{1, 2, 3, 7, 4096, 1 << 30} {
			count := row.count
			if piece < 100 {
				count /= 20
			}
			all := strings.Repeat(row.chunk, count) + "0\r\n\r\n"
			body, offered := chunkedBody(false), 0
			var in, payload []byte
			for came := 0; came < len(all) && !body.Done(); {
				next := min(came+piece, len(all))
				in = append(in, all[came:next]...)
				came = next
				offered += len(in)
				_, n, err := body.Data(payload[:0], in)
				if err != nil {
					t.Fatalf("%s, in pieces of %d: %v", what, piece, err)
				}
				in = in[:copy(in, in[n:])]
			}
			if !body.Done() || body.Payload() != int64(count) {
				t.Errorf("%s, in pieces of %d: done %v, %d bytes", what, piece, body.Done(), body.Payload())
			}
			if most := len(all) * (1 + row.again); offered > most {
				t.Errorf("%s, in pieces of %d: %d bytes are looked at for %d", what, piece, offered, len(all))
			}
		}
	}
}
