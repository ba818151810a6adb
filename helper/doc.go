// Package helper keeps child processes that answer lines: a line in, a line out.
//
// A Pool belongs to one loop and is used on that loop's goroutine only. Each child has a
// goroutine of its own for what blocks: it starts the process, passes on its standard error,
// waits for its end, and posts both pieces of news to the loop.
//
// A Pool lives from NewPool until it is Closed. Ask gives a Question, which is held in the
// hand: whoever asked is woken, looks with Answer, and ends with Cancel, answered or not. In
// between the question waits in the backlog, which has no limit, or is in the hands of a
// child. The first child that has nothing to do gets it, else the one that has least. A child
// that ends gives its questions back to the head of the backlog and is replaced, at once if
// it had lived long, ever more slowly if children die before they answer; a question that has
// ended Config.Retries+1 children is given up (ErrLost); for its last chance it has a child to
// itself, so that no other is given up because of it. As long as no child can be started,
// questions wait: their deadlines are their askers' affair, who say Late when one has passed.
//
// With Config.Concurrency above 0 each line begins with a channel number and so must its
// answer; numbers run from 0 and the lowest free one is used. With 0 a child has one question
// at a time and lines have no number, so that a line too many would shift all later answers
// by one. What a child has written by the time at which the loop last looked at the kernel is
// never taken for the answer to a question that is sent afterwards, and a child that is caught
// writing such a line is replaced. What cannot be told from an answer is an unasked line that comes
// later: one question may get it, and the answer proper is then the line that gives the child away.
//
// Lines are passed on as they are, NUL bytes and all, but for the line end: a line feed with
// at most one carriage return before it. A line of more than 1 MiB costs the child its place.
//
// Children get pipes for standard input and output, or with Config.PTY a terminal for output
// alone; a pipe for standard error, which Config.Stderr gets in whole lines; no other
// descriptor (whatever the program has open besides is made close-on-exec); a session of their own;
// the scheduling policy of work that waits for its turn (SCHED_BATCH, see humble); and the umask of
// the program, which is its business since a process has only one. A child is let go by closing its input. If it is still there
// after five seconds its process group gets SIGTERM, and SIGKILL five seconds later, so that
// none outlives the program unnoticed. A child whose process has ended counts as gone even if
// another process, started by it, holds its pipes.
//
// The package never looks into a line beyond the channel number, never blocks the loop, never
// refuses a question because there are many, and never ends the program.
//
//	pool := helper.NewPool(l, helper.Config{Name: "redirector", Argv: []string{"/usr/bin/rewrite"}, Children: 5, Retries: 2})
//	question := pool.Ask([]byte("a line"), waker)
//	… when woken:
//	line, done, err := question.Answer()
//	if !done {
//		return // woken again
//	}
//	use(line, err)
//	question.Cancel() // line is not valid any more
//	question = nil
package helper
