package program

import (
	"fmt"
	"os"
	"time"

	"exaproxy/compat/account"
	"exaproxy/compat/directive"
)

// Settings are what a configuration says of the process.
type Settings struct {
	PIDFile     string        // pid_filename; "" for none
	User, Group string        // cache_effective_user, cache_effective_group; "" for the default
	CoreDir     string        // coredump_dir; "" to stay where we are
	Umask       int           // umask
	Descriptors int           // max_filedescriptors; 0 for as many as the system allows
	Workers     int           // workers; 0 if the configuration does not say
	Silence     time.Duration // acl_helper_timeout: for which a helper that access lists ask may be silent; 0: for ever
	Shutdown    time.Duration // shutdown_lifetime: how long transactions may go on after a shutdown began
}

// Defaults are Squid 5.7's, as Debian builds it.
func Defaults() Settings {
	return Settings{PIDFile: "/run/squid.pid", Umask: 0o027, Silence: 2 * time.Minute, Shutdown: 30 * time.Second}
}

// Directives are the setters.
func (s *Settings) Directives() directive.Set {
	return directive.Set{
		"pid_filename":          directive.Text(&s.PIDFile),
		"cache_effective_user":  directive.Text(&s.User),
		"cache_effective_group": directive.Text(&s.Group),
		"coredump_dir":          directive.Text(&s.CoreDir),
		"umask":                 directive.Number(&s.Umask),
		"max_filedescriptors":   directive.Number(&s.Descriptors),
		"workers":               directive.Number(&s.Workers),
		"acl_helper_timeout":    directive.Duration(time.Second, &s.Silence),
		"shutdown_lifetime":     directive.Duration(time.Second, &s.Shutdown),
	}
}

// Finish makes of "none" what it means, and looks whether there is the user that is named. The error is
// in Squid's words.
func (s *Settings) Finish() error {
	if s.User != "" || s.Group != "" {
		if _, err := account.Lookup(s.User, s.Group); err != nil {
			return err
		}
	}
	for _, path := range []*string{&s.PIDFile, &s.CoreDir} {
		if *path == "none" {
			*path = ""
		}
	}
	return nil
}

// HelperDir is where helpers run: in coredump_dir, or where the proxy does (""). A coredump_dir
// that is no directory is complained of.
func (s *Settings) HelperDir(say func(level int, text string)) string {
	if s.CoreDir == "" {
		return ""
	}
	if facts, err := os.Stat(s.CoreDir); err != nil || !facts.IsDir() {
		say(1, fmt.Sprintf("WARNING: coredump_dir %s is not a directory: helpers run where the proxy does", s.CoreDir))
		return ""
	}
	return s.CoreDir
}

// CheckHelper returns why the user whom the proxy becomes cannot run a helper, as far as can be seen
// without being him; nil where the proxy is not started by root.
func (s *Settings) CheckHelper(path string) error {
	who, err := account.Effective(s.User, s.Group)
	if err != nil {
		return nil // the start ends with that
	}
	return who.CanRun(path)
}
