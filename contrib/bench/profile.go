package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// profiled is the environment of an exaproxy that writes a profile to a file of its own in the run's directory.
func (b *bench) profiled() []string {
	if b.options.profile == "" {
		return nil
	}
	b.profiles = append(b.profiles, filepath.Join(b.dir, fmt.Sprintf("%d.pprof", len(b.profiles))))
	return []string{"EXAPROXY_PROFILE=" + b.profiles[len(b.profiles)-1]}
}

// mergeProfiles makes one profile of those of all exaproxies that ran, for the compiler to read (go build -pgo).
func (b *bench) mergeProfiles() error {
	var output bytes.Buffer
	merge := exec.CommandContext(b.ctx, "go", append([]string{"tool", "pprof", "-proto", "-output", b.options.profile}, b.profiles...)...)
	merge.Stdout, merge.Stderr = &output, &output
	if err := merge.Run(); err != nil {
		return fmt.Errorf("merge %d profiles: %w: %s", len(b.profiles), err, output.String())
	}
	facts, err := os.Stat(b.options.profile)
	if err != nil {
		return fmt.Errorf("merge profiles: %w", err)
	}
	fmt.Printf("%s: %d bytes, from %d profiles\n", b.options.profile, facts.Size(), len(b.profiles))
	return nil
}
