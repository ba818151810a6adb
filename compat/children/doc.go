// Package children is what the features that ask helper programs have in common: how many processes of a program
// run (Settings), and how (Process). The pools themselves are package helper's, and belong to the engine.
package children
