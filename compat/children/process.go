package children

import (
	"io"
	"os"
	"syscall"
	"time"

	"exaproxy/helper"
)

// A Process is how the helpers of the whole proxy are run, beside what their Settings say.
type Process struct {
	Dir       string        // their working directory; "": ours
	Debug     string        // debug_options, which they find as SQUID_DEBUG
	Silence   time.Duration // after which one that does not answer is replaced; 0: never
	PerWorker bool          // each worker has all of them, as in Squid; false: they are divided
	Stderr    io.Writer     // gets what they write to their standard error
}

// retries is how often a question is asked again that ended its child: it may end three before it is given up.
const retries = 2

// Config is that of the pool of a program. What is told of it in cache.log has to be set.
func (n *Settings) Config(name string, argv []string, p Process) helper.Config {
	return helper.Config{
		Name:        name,
		Argv:        argv,
		Children:    n.Max,
		Startup:     n.Startup,
		Idle:        n.Idle,
		Concurrency: n.Concurrency,
		PerWorker:   p.PerWorker,
		Pipeline:    n.Pipeline,
		PTY:         n.PTY,
		Retries:     retries,
		Timeout:     p.Silence,
		Env:         append(os.Environ(), "SQUID_DEBUG="+p.Debug),
		Dir:         p.Dir,
		Stderr:      p.Stderr,
	}
}

// Executable returns why a program cannot be started, as far as looking at it shows.
func Executable(path string) error {
	facts, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case facts.IsDir():
		return syscall.EISDIR
	case facts.Mode()&0o111 == 0:
		return syscall.EACCES
	}
	return nil
}
