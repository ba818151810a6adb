package helper

import "golang.org/x/sys/unix"

// System calls that newer machines do without.
const (
	callPoll      = unix.SYS_POLL
	callSelect    = unix.SYS_SELECT
	callEpollWait = unix.SYS_EPOLL_WAIT
)
