package conf

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unlikeSquid are the golden files for which Squid prints something else, with the reason.
var unlikeSquid = map[string]string{
	"own-directives-in-comments":          "Squid has no such directives",
	"directives-of-other-versions":        "Squid 5.7 knows none of them",
	"macros-are-replaced-everywhere":      "the service name is that of this test",
	"what-must-not-be-ignored-is-refused": "Squid follows what is refused here",
}

// TestSameAsSquid lets an installed Squid 5 parse the golden files and compares what it prints.
func TestSameAsSquid(t *testing.T) {
	squid := squid5(t)
	found := archives(t)
	for name := range unlikeSquid {
		if found[name] == nil {
			t.Errorf("unlikeSquid excuses %q, which is no golden file", name)
		}
	}
	for name, archive := range found {
		if unlikeSquid[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			files, _ := split(archive)
			lines, broken := Parse("squid.conf", files.options())
			got := withoutOurs(traceOf(lines, broken, files))
			want := withoutNoise(squid(t, files))
			if got != want {
				t.Errorf("squid -k parse prints something else for %s:\ngot:\n%swant:\n%s", name, got, want)
			}
		})
	}
}

// squid5 finds Squid, and gives a function that parses files with it.
func squid5(t *testing.T) func(t *testing.T, files memory) string {
	t.Helper()
	program, err := exec.LookPath("squid")
	if err != nil {
		t.Skip("no squid is installed to compare with")
	}
	version, _ := exec.Command(program, "-v").Output()
	if !strings.HasPrefix(string(version), "Squid Cache: Version 5.") {
		t.Skipf("the installed squid is not of version 5: %.40q", version)
	}
	return func(t *testing.T, files memory) string {
		dir := t.TempDir()
		for name, content := range files {
			name = filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.Command(program, "-N", "-n", "conftest", "-f", "squid.conf", "-k", "parse")
		command.Dir = dir
		output, _ := command.CombinedOutput() // the status is in the text
		return string(output)
	}
}

// dated is a line that Squid says to cache.log; others are left over from multi-line messages.
var dated = regexp.MustCompile(`^\d+/\d+/\d+ \d+:\d+:\d+\| `)

// noise is what Squid prints whatever the configuration holds, or about what it does with it.
var noise = regexp.MustCompile(`^(Startup: |Initializing https|Requiring client|Not currently OK|storeDirWrite|Squid Cache \(Version|` +
	`  Finished\.|  Took|WARNING: HTTP requires the use of Via|Warning: empty ACL|Not requiring|FATAL: (redirect|url_rewrite)_program |` +
	`NETDB state|WARNING: url_rewrite_concurrency upgrade|WARNING: 'pipeline_prefetch|parse_delay_pool|WARNING: cache_dir|.*is a subdomain of|` +
	`[a-z_0-9]+ : )`)

func withoutNoise(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		date := dated.FindString(line)
		if line = line[len(date):]; date != "" && !noise.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// ours is what Squid has no reason to say.
var ours = regexp.MustCompile(`^(NOTICE: |WARNING: '[a-z_0-9]+' is ignored|[a-z_0-9]+ : )`)

// place is what we say besides: where the line stands.
var place = regexp.MustCompile(` \([^ ]+ line \d+\)$`)

func withoutOurs(trace string) string {
	var b strings.Builder
	for line := range strings.Lines(trace) {
		if !ours.MatchString(line) {
			b.WriteString(place.ReplaceAllString(strings.TrimSuffix(line, "\n"), "") + "\n")
		}
	}
	return b.String()
}
