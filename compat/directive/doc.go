// Package directive is how the features of compat take lines of squid.conf into their settings:
// the type of a setter, what a setter is given beside its line, and the setters that serve many
// directives, such as OnOff and Duration.
//
// Package compat makes one Context for each reading of a configuration and runs the setters and
// the features' Finish methods with it, one after the other, on the goroutine that reads. Nothing
// here outlives the reading.
//
// The package knows no directive by name, and keeps no setting. Whether a directive is followed
// at all is said by its row in conf.Table.
//
//	func (s *Settings) Directives() directive.Set {
//		return directive.Set{
//			"via":           directive.OnOff(&s.Via),
//			"forwarded_for": s.setForwarded,
//		}
//	}
package directive
