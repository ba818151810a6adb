package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	rounds      int
	seconds     int
	only        string
	peers       string
	connections int
	out         string
	baseline    string
	profile     string
	keep        bool
}

func main() {
	// Processes are started with Pdeathsig, which is about the thread that starts them: see prctl(2).
	runtime.LockOSThread()
	if len(os.Args) > 1 && os.Args[1] == "load" {
		exit(load(os.Args[2:], os.Stdin, os.Stdout))
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "how often each contestant of a workload is measured")
	flag.IntVar(&o.seconds, "seconds", 4, "how long each measurement takes, at least 1")
	flag.StringVar(&o.only, "only", "", "the workloads to measure, with commas between; all if empty:\n"+strings.Join(workloadNames(), " "))
	flag.StringVar(&o.peers, "peers", "", "the peers to measure beside, with commas between; all if empty:\n"+strings.Join(peerNames(), " "))
	flag.IntVar(&o.connections, "connections", 64, "how many connections bear the load")
	flag.StringVar(&o.out, "out", "", "the directory for the report; a new one in the temporary directory if empty")
	flag.StringVar(&o.baseline, "baseline", "", "another exaproxy binary, to be measured wherever exaproxy is")
	flag.StringVar(&o.profile, "profile", "", "write to this file where exaproxy spends its time, for the compiler; no peer is measured")
	flag.BoolVar(&o.keep, "keep", false, "keep the directory with configurations and logs")
	flag.Parse()
	exit(run(o))
}

// exit ends the program, with status 1 and a message if there is an error.
func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// bench is one run: where it works, what it measures with, and what it has measured.
type bench struct {
	ctx          context.Context
	options      options
	dir          string // configurations, logs and files of the origin; removed at the end
	exaproxy     string // the binary just built
	origin       *origin
	certificates certificates
	profiles     []string // files that exaproxies wrote
	machine      machine
	results      []result
}

func run(o options) error {
	if o.rounds < 1 || o.seconds < 1 || o.connections < 1 {
		return fmt.Errorf("-rounds, -seconds and -connections are 1 at least")
	}
	chosen, err := chooseWorkloads(o)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	b := &bench{ctx: ctx, options: o}
	if err := b.prepare(); err != nil {
		return err
	}
	defer b.leave()
	if b.origin, err = startOrigin(b.dir, b.certificates); err != nil {
		return err
	}
	defer b.origin.stop()
	for _, w := range chosen {
		measured, err := b.measure(w)
		if err != nil {
			return err
		}
		b.results = append(b.results, measured)
		printResult(os.Stdout, measured)
	}
	if o.profile != "" {
		return b.mergeProfiles()
	}
	b.machine.after()
	return b.report()
}

// prepare makes the directories and what stands in them, builds the proxy and looks at the machine.
func (b *bench) prepare() error {
	raiseDescriptors()
	var err error
	if b.dir, err = os.MkdirTemp("", "exaproxy-bench-"); err != nil {
		return err
	}
	// Squid, nginx and trafficserver give up root before they open their files.
	if err := os.Chmod(b.dir, 0o777); err != nil {
		return err
	}
	if b.options.out == "" {
		b.options.out, err = os.MkdirTemp("", "exaproxy-report-")
	} else {
		err = os.MkdirAll(b.options.out, 0o755)
	}
	if err != nil {
		return err
	}
	if b.certificates, err = makeCertificates(b.dir); err != nil {
		return err
	}
	return b.build()
}

// build builds the proxy and looks at the machine.
func (b *bench) build() error {
	b.exaproxy = filepath.Join(b.dir, "exaproxy")
	tags := ""
	if b.options.profile != "" {
		tags = "profile"
	}
	build := exec.CommandContext(b.ctx, "go", "build", "-tags", tags, "-o", b.exaproxy, "exaproxy/cmd/exaproxy")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build exaproxy/cmd/exaproxy: %w", err)
	}
	b.machine = lookAtMachine()
	fmt.Println(b.machine)
	return nil
}

// leave removes what prepare made.
func (b *bench) leave() {
	if b.options.keep {
		fmt.Println("kept:", b.dir)
		return
	}
	os.RemoveAll(b.dir)
}

// chooseWorkloads gives the workloads that -only names, with the contestants that -peers and -baseline leave or add.
func chooseWorkloads(o options) ([]workload, error) {
	if err := known("-only", o.only, workloadNames()); err != nil {
		return nil, err
	}
	if err := known("-peers", o.peers, peerNames()); err != nil {
		return nil, err
	}
	var chosen []workload
	for _, w := range workloads {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), w.name) {
			continue
		}
		w.contestants = chooseContestants(w.contestants, o)
		chosen = append(chosen, w)
	}
	return chosen, nil
}

// chooseContestants leaves out peers that are not asked for, and puts the baseline behind each of ours.
func chooseContestants(all []contestant, o options) []contestant {
	var chosen []contestant
	for _, c := range all {
		ours := c.peer == &exaproxy
		if !ours && o.profile != "" {
			continue
		}
		if !ours && o.peers != "" && !slices.Contains(strings.Split(o.peers, ","), c.peer.name) {
			continue
		}
		chosen = append(chosen, c)
		if ours && o.baseline != "" {
			c.name = strings.Replace(c.name, "exaproxy", "baseline", 1)
			c.program = o.baseline
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// known refuses a name of a list that is not one of the known.
func known(flag, list string, names []string) error {
	if list == "" {
		return nil
	}
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s: no %q; there is %s", flag, name, strings.Join(names, " "))
		}
	}
	return nil
}

// raiseDescriptors asks for as many descriptors as this process and those it starts may have.
func raiseDescriptors() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return
	}
	limit.Cur = limit.Max
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // what is refused shows in the workloads with many connections
}

// descriptors is how many descriptors a process may open.
func descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(limit.Cur, 60000))
}

// pause waits, unless the run is to end.
func (b *bench) pause(d time.Duration) error {
	select {
	case <-b.ctx.Done():
		return b.ctx.Err()
	case <-time.After(d):
		return nil
	}
}
