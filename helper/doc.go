// Package helper keeps child processes that answer lines: a line in, a line out.
//
// A Pool belongs to one loop and is used on that loop's goroutine only. Each child has a
// goroutine of its own for what blocks: it starts the process, copies its standard error, waits
// for its end, and posts start and end to the loop.
//
// A Pool lives from NewPool until it is Closed. Ask returns a Question: whoever asked is woken,
// looks with Answer, and ends with Cancel, answered or not. In between the question waits in the
// backlog, which has no limit, or is in flight: assigned to a child. The first child that has nothing
// to do gets it, else the one that has least. The questions of a child that ends go back to the
// head of the backlog, and it is replaced, at once if it had lived long, ever more slowly if
// children end before they answer. A question that has ended Config.Retries+1 children is given
// up (ErrLost); for its last chance it has a child to itself, so that no other is given up
// because of it. As long as no child can be started, questions wait: whoever asked keeps the
// deadline, and calls Late when it has passed.
//
// With Config.Concurrency above 0 each line begins with a channel number and so must its
// answer; numbers run from 0 and the lowest free one is used. With 0 a child has one question
// at a time and lines have no number, so that a line too many would shift all later answers
// by one. What a child had written when the loop last read events is never taken for the
// answer to a question that is sent afterwards, and a child that writes such a line is replaced.
// An unsolicited line that comes later cannot be told from an answer: one question may get it,
// and the true answer is then the line for which the child is replaced.
//
// Lines are passed on as they are, NUL bytes and all, but for the line end: a line feed with
// at most one carriage return before it. A child that writes more than 1 MiB without a line end
// is replaced.
//
// Children get pipes for standard input and output, or with Config.PTY a terminal for output
// alone; a pipe for standard error, which Config.Stderr gets in whole lines; no other
// descriptor (whatever the program has open besides is made close-on-exec); a session of their
// own; the scheduling policy SCHED_BATCH (see setBatchScheduling); and the umask of the program.
// A child is ended by closing its input. If it is still there after five seconds its process
// group gets SIGTERM, and SIGKILL five seconds later, so that none outlives the program unnoticed.
// A child whose process has ended counts as ended even if another process, started by it, holds
// its pipes.
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
