package loop

// Activity is what a loop has done since it was made: how often it turned, and what it has asked of the kernel. It
// belongs to the loop's goroutine.
type Activity struct {
	// Ready counts the turns by how many descriptors had news in them; the last is for that many and more. All
	// of them together are the turns.
	Ready  [256]uint64
	Events uint64 // news of descriptors

	Accepts, Sockets, Connects, Binds, Closes uint64 // of sockets
	Reads, Writes, Receives, Sends            uint64 // of all descriptors; the last two are of datagrams
}

// Turns is how often the loop has turned.
func (a *Activity) Turns() (n uint64) {
	for _, turns := range a.Ready {
		n += turns
	}
	return n
}

// Activity returns what the loop has done, as it goes on counting.
func (l *Loop) Activity() *Activity { return &l.activity }

// turned counts a turn in which n descriptors had news.
func (a *Activity) turned(n int) {
	a.Ready[min(n, len(a.Ready)-1)]++
	a.Events += uint64(n)
}

// dialled counts the making of a connection.
func (a *Activity) dialled(s *DialSpec) {
	a.Sockets++
	a.Connects++
	if s.Local.IsValid() {
		a.Binds++
	}
}

// read counts a read of n bytes.
func (f *FD) read(n int) {
	f.in += uint64(max(n, 0))
	if f.typ == Datagram {
		f.loop.activity.Receives++
	} else {
		f.loop.activity.Reads++
	}
}

// wrote counts a write of n bytes.
func (f *FD) wrote(n int) {
	f.out += uint64(max(n, 0))
	if f.typ == Datagram {
		f.loop.activity.Sends++
	} else {
		f.loop.activity.Writes++
	}
}

// Moved is how many bytes were read from the descriptor and written to it.
func (f *FD) Moved() (in, out uint64) { return f.in, f.out }
