package children

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"exaproxy/compat/conf"
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

// LineMax is the longest line, with its end, that fits the buffer of 8 KB that helpers of Squid have: fgets(3) wants a
// byte more.
const LineMax = 8191

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
		Spare:       true,
		Env:         append(os.Environ(), "SQUID_DEBUG="+p.Debug),
		Dir:         p.Dir,
		Stderr:      p.Stderr,
	}
}

// Executable returns why a program cannot be started, as far as looking at it shows: what Squid says, and what to do.
func Executable(path string) error {
	facts, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		folder := closedFolder(path)
		return fmt.Errorf("%s: uid %d cannot enter the folder %s: put the program elsewhere, or chmod o+x %[3]s",
			conf.SystemText(err), os.Geteuid(), folder)
	case err != nil:
		return errors.New(conf.SystemText(err))
	case facts.IsDir():
		return fmt.Errorf("%s: name the program in it", conf.SystemText(syscall.EISDIR))
	case facts.Mode()&0o111 == 0:
		return fmt.Errorf("%s: it is not executable (chmod +x %s)", conf.SystemText(syscall.EACCES), path)
	}
	return nil
}

// closedFolder is the first folder on the way to path that cannot be entered.
func closedFolder(path string) string {
	folder := filepath.Dir(path)
	for parent := filepath.Dir(folder); parent != folder; parent = filepath.Dir(folder) {
		if _, err := os.Stat(folder); err == nil {
			break
		}
		folder = parent
	}
	return folder
}
