package compat

const (
	// Version is this program's.
	Version = "2.0.0"
	// SquidVersion is the version of Squid whose ways are followed where versions differ.
	SquidVersion = "5.7"
)
