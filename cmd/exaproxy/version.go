package main

// version is this program's. The version of Squid whose ways it follows is headers.SquidVersion.
const version = "2.0.0"
