// Package helper keeps child processes that answer lines: a line in, a line out.
//
// A Pool belongs to one loop and is used on that loop's goroutine only. Each child has a
// goroutine of its own for what blocks: it has the process started, by one thread that starts those of all pools, copies its
// standard error, waits for its end, and posts start and end to the loop.
//
// A Pool lives from NewPool until it is Closed. Ask returns a Question: whoever asked is woken,
// looks with Answer, and ends with Cancel, answered or not. In between the question waits in the
// backlog, which has no limit, or is in flight: assigned to a child. The first child that has nothing
// to do gets it, else the one that has least. With Config.Timeout it is settled with ErrLate when a
// child has had it for longer, and a child whose channels are all stuck is replaced; waiting for a
// child counts for nothing.
//
// A child is asked only when its process is seen waiting for its input (see inputWatch): programs may
// take long to start, and write something meanwhile, which is dropped. One that does not get ready is
// replaced after a minute, and the next have longer, up to 16 minutes.
//
// The questions of a child that ends go back to the head of the backlog, and it is replaced: at once if it
// had lived long, within half a second if it had read a question, and ever more slowly if children end that were
// not asked anything. Those that it had read may be the cause. Which lines end children cannot be known before
// they are asked, but such lines have something in common more often than not that answered ones do not have
// (see harm). For a minute after such an end the pool asks in the order of what it knows: first what is made of
// nothing but what answered lines have, then what is unknown, which leaves a quarter of the children, or one, to
// the others; what is like the lines of which children ended is risky. Risky questions wait behind all others, are
// asked alone, and a quarter of the children, or one, are given them at a time. Nobody is refused for a likeness:
// what was never asked waits. Questions that were alone with a child that ended are given up (ErrLost) after 30 s
// or if they are more than 64. A question that has ended Config.Retries+1 children is given up, and its line for
// ten minutes (ErrRemembered). As long as no child can be started, questions wait. A child that is replaced because it did not answer
// within Config.Timeout, or wrote without end, has ended of its question too. With Config.Spare one that answered nobody
// for half as long, of several, is replaced like that, and each of those has a last chance, alone.
//
// With Config.Concurrency above 0 each line begins with a channel number and so must its
// answer; numbers run from 0 and the lowest free one is used. With 0 a child has one question
// at a time and lines have no number, so that a line too many would shift all later answers
// by one. What a child had written when the loop last read events is never taken for the
// answer to a question that is sent afterwards; nor is, with a child that is new or where such lines
// were seen, what it wrote while the question was still in its pipe. A child that writes such a line
// is replaced, and for ten minutes answers are held back for 20 ms, lest another line follow. For
// as long they are for 100 ms if two children have crashed right behind an answer; a crash meanwhile
// makes it none. Answers to lines that are made of nothing but what answered lines have, which had no such
// consequences, are not held back.
//
// With Config.Pipeline a child without channel numbers is given lines ahead, which it answers in their order: once it
// has given three answers, when no more children can be had at once, and not for a minute after a child has ended of what it was
// asked, or ten after one has written a line too many. Of what is lost with a child all goes back in order, and the first
// alone may be to blame, which has Config.Timeout from when the one before it was answered. What cannot be seen with lines
// ahead is a line too many while others are in flight: it shifts the answers up to the next pause. So this is for programs
// that are known to answer one for one.
//
// A pool can take the place of another without a moment in which nobody answers: Succeed.
//
// Questions that have to be put to one child in turn are a Conversation (Converse), for which a child is reserved.
// It is bounded by Config.Reservation where others wait, less if many do, and otherwise by its owner's End.
//
// Lines are passed on as they are, NUL bytes and all, but for the line end: a line feed with
// at most one carriage return before it. A child that writes more than 1 MiB without a line end
// is replaced. With Config.Framing questions and answers are of another form than lines, and all the rest holds.
//
// Children get pipes for standard input and output, or a terminal for output alone (Config.PTY). With PTYAuto that
// is found out: a child that has read its first question, and a second later waits for the next in read(2) with all
// of its threads and whatever it has started, without an answer, keeps that back in its stdio. It is replaced by one with
// a terminal, and its question, which is not to blame, asked again. If that one answers, all get terminals; if
// not, pipes again. A child that works, sleeps, or waits for anything else as well is not such a one, and once one with a
// pipe has answered none is looked at any more.
//
// Children get a pipe for standard error, which Config.Stderr gets in whole lines, and not all of them while
// many children end; no other
// descriptor (whatever the program has open besides is made close-on-exec); a session of their
// own; the scheduling policy SCHED_BATCH (see setBatchScheduling); and the umask of the program.
// A child is ended by closing its input. If it is still there after five seconds, or less with CloseWithin, its process
// group gets SIGTERM, and SIGKILL as much later; so does what a child that has ended leaves behind in its group. The kernel
// kills children when the program is killed.
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
