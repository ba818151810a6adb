// Package program takes from a configuration what concerns the process: its pid file, whom it
// becomes, its umask, descriptors and workers, and how long it takes to end.
//
// Package compat takes Settings from a configuration, on the goroutine that reads it. Command
// exaproxy follows them, and the working directory of helpers is made of them.
//
// The package changes nothing of the process.
package program
