package logs

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An outlet takes the lines of a File elsewhere than to a file: to a socket, or to a program. It belongs to the writer.
type outlet interface {
	// put hands over whole lines, and returns how many bytes of them are done with; the others come again. The error
	// is os.ErrDeadlineExceeded if nobody takes them now.
	put(lines []byte) (int, error)

	// rotate tells whoever keeps old files that it is time.
	rotate()

	// lost is how many lines were given up since the last call, since they can never be sent.
	lost() int

	close()
}

// reconnectAfter is how long is waited before an outlet is tried again. It is Squid's time.
const reconnectAfter = 500 * time.Millisecond

// whole is how many bytes of lines are whole lines, of at most that many bytes, but always one line.
func whole(lines []byte, most int) int {
	end := 0
	for end < len(lines) {
		next := end + lineLength(lines[end:])
		if next > most && end > 0 {
			break
		}
		end = next
	}
	return end
}

// lineLength is how many bytes the first of lines has, with its end.
func lineLength(lines []byte) int {
	for i, c := range lines {
		if c == '\n' {
			return i + 1
		}
	}
	return len(lines)
}

// hasLeft throws away what the other end of a socket has said, and reports whether it is gone.
func hasLeft(end syscall.Conn) bool {
	raw, err := end.SyscallConn()
	if err != nil {
		return true
	}
	left := false
	var ignored [4096]byte
	err = raw.Read(func(fd uintptr) bool {
		for range 16 {
			n, _, err := unix.Recvfrom(int(fd), ignored[:], unix.MSG_DONTWAIT)
			if n <= 0 {
				left = err == nil || err != unix.EAGAIN && err != unix.EINTR
				break
			}
		}
		return true
	})
	return left || err != nil
}

// isLate says whether an error means that nobody takes lines now.
func isLate(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
