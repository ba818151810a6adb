package loop

// LinuxWaiting is Linux with a choice of how to wait.
var LinuxWaiting = linuxWaiting
