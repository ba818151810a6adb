package account

import (
	"fmt"
	"io/fs"
	"os"
)

// CanRun returns why the user cannot run a program, as far as the owners and modes of the file and the
// folders on the way to it tell; nil if he can, or if it is not there.
func (u *User) CanRun(program string) error {
	if u == nil || u.UID == 0 {
		return nil
	}
	way, err := follow(program)
	if err != nil || way.file == nil {
		return nil // whoever starts it says so
	}
	for _, folder := range way.folders {
		if !u.may(folder, execute) {
			return fmt.Errorf("user '%s' (cache_effective_user) cannot enter the folder %s (%s): put the program elsewhere, or chmod o+x %[2]s",
				u.Name, folder.path, folder.mode)
		}
	}
	if !u.may(*way.file, execute) {
		return fmt.Errorf("user '%s' (cache_effective_user) may not execute it (%s): chmod o+x %s", u.Name, way.file.mode, way.place)
	}
	if way.file.mode.IsRegular() && isScript(way.place) && !u.may(*way.file, read) {
		return fmt.Errorf("user '%s' (cache_effective_user) may not read it (%s), as its interpreter must: chmod o+r %s",
			u.Name, way.file.mode, way.place)
	}
	return nil
}

// What may be done with a file, as bits of each class of a mode.
const (
	execute = 1
	read    = 4
)

// may is the kernel's decision by owner and mode. Where an access list has more to say, it says
// yes.
func (u *User) may(s stop, want fs.FileMode) bool {
	perm := s.mode.Perm()
	switch {
	case s.listed:
		return true
	case s.uid == u.UID:
		perm >>= 6
	case s.gid == u.GID:
		perm >>= 3
	}
	return perm&want == want
}

// isScript says whether the kernel has another program read the file. One that cannot be read is
// taken for none.
func isScript(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var mark [2]byte
	n, _ := file.Read(mark[:])
	return string(mark[:n]) == "#!"
}
