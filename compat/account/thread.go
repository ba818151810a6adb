package account

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// takeFileRights gives the calling thread, and no other, other ids for the purposes of files
// (setfsuid(2), which takes root's power over files away and gives it back). Capabilities to
// change ids stay.
func takeFileRights(uid, gid uint32, groups []uint32) error {
	if err := setThreadGroups(groups); err != nil {
		return err
	}
	// neither call says whether it worked; asked for an id that there is not, both tell the present one
	unix.Setfsgid(int(gid))
	unix.Setfsuid(int(uid))
	if now, _ := unix.SetfsgidRetGid(-1); now != int(gid) {
		return fmt.Errorf("setfsgid %d: it is still %d", gid, now)
	}
	if now, _ := unix.SetfsuidRetUid(-1); now != int(uid) {
		return fmt.Errorf("setfsuid %d: it is still %d", uid, now)
	}
	return nil
}

// setThreadGroups is setgroups(2) as the kernel has it: for one thread. That of package syscall is for
// all.
func setThreadGroups(groups []uint32) error {
	if _, _, err := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(unsafe.SliceData(groups))), 0); err != 0 {
		return fmt.Errorf("setgroups: %w", err)
	}
	return nil
}

func unsigned(ids []int) []uint32 {
	all := make([]uint32, len(ids))
	for i, id := range ids {
		all[i] = uint32(id)
	}
	return all
}
