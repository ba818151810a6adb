package conf

// A Version is a generation of Squid: the one whose ways are followed where they differ (squid_version). They are in the
// order in which they came, so that features ask whether a version is at least one.
type Version uint8

const (
	Squid5 Version = iota // 5.7, as Debian 12 has it
	Squid6                // 6.13, as Debian 13 has it
	Squid7                // 7.6
)

// versions are the words of squid_version.
var versions = [...]string{Squid5: "5.7", Squid6: "6", Squid7: "7"}

// String is the word of squid_version.
func (v Version) String() string { return versions[v] }

// Release is the release that stands for the version where Squid tells its own.
func (v Version) Release() string {
	return [...]string{Squid5: "5.7", Squid6: "6.13", Squid7: "7.6"}[v]
}

// ParseVersion reads a word of squid_version.
func ParseVersion(word string) (v Version, ok bool) {
	for v, known := range versions {
		if word == known {
			return Version(v), true
		}
	}
	return 0, false
}

// versionDirective chooses the version. It counts for the whole file, wherever it stands.
const versionDirective = "squid_version"

// VersionOf is the version that a configuration chooses, the last of several; Squid5 if none, or if the word makes no sense,
// which the directive's setter says.
func VersionOf(lines []Line) (v Version) {
	for i := range lines {
		l := &lines[i]
		if l.Type != Setting || l.Broken != nil || l.Directive == nil || l.Directive.Name != versionDirective || len(l.Tokens) == 0 {
			continue
		}
		if chosen, ok := ParseVersion(l.Tokens[0].Text); ok {
			v = chosen
		}
	}
	return v
}
