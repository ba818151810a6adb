//go:build !profile

package main

// profile does nothing in a program that is not built with the tag of that name.
func profile() (end func()) { return func() {} }
