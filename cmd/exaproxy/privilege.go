package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"exaproxy/cmd/exaproxy/privsep"
	"exaproxy/compat/account"
)

// meetParent makes the connection to a parent, if there is one.
func (s *server) meetParent() (err error) {
	if s.role.kid() {
		s.root, err = privsep.NewClient(inherited())
	}
	return err
}

// trust has root open nothing beyond the user's rights if others than root say what is opened.
func (s *server) trust(who *account.User) {
	named, err := s.o.named()
	if err == nil && named.Distrusted() != "" {
		err = fmt.Errorf("others than root can change %s", named.Distrusted())
	}
	if err != nil {
		who.Alone = true
		s.log.Say(1, fmt.Sprintf("NOTICE: %s: root opens no log for user '%s' that he may not open himself", err, who.Name))
	}
}

// instance is the process that the pid file names.
func (s *server) instance() int {
	if s.role.kid() {
		return os.Getppid()
	}
	return os.Getpid()
}

// becomeUser writes the pid file, then gives up root's rights to be who, unless that is nil. From then on
// what only root may is done by a process that has kept them.
func (s *server) becomeUser(who *account.User, args []string) (err error) {
	path := s.settings.Program.PIDFile
	if !s.role.kid() {
		if s.pid, err = writePIDFile(path, who); err != nil || who == nil {
			return err
		}
		if s.root, err = startRoot(args); err != nil {
			s.log.Say(0, fmt.Sprintf("WARNING: there is no process with root's rights: what only root may read or open is out of reach of a reload: %s", err))
		}
	}
	if s.root != nil {
		if err := s.root.Starting(who, path); err != nil {
			return err
		}
	}
	if who == nil {
		return nil
	}
	if s.root != nil {
		who.Root = s.root // which looks anew each time whom the configuration is from
	}
	become := setUser
	if rights := rightsFor(s.settings); who.UID != 0 && rights != 0 {
		become = keeping(rights)
	}
	if err := become(who); err != nil {
		return fmt.Errorf("cannot become user %s: %s", who.Name, err)
	}
	return nil
}

// orphanPatience is how long a proxy without its parent may take to end.
const orphanPatience = 5 * time.Second

// lost has a proxy end whose parent has been killed, as "-k kill" does: nobody would know of it. With -N
// it goes on without the process that had root's rights.
func (s *server) lost() {
	if !s.role.kid() {
		s.log.Say(0, "ERROR: the process with root's rights has ended: what only root may read or open is out of reach until the next start")
		return
	}
	s.log.Say(0, "FATAL: the parent process was killed")
	time.AfterFunc(orphanPatience, func() { os.Exit(1) })
	s.shutdown(true)
}

// setUser makes the whole process, all its threads, run as who, for good. Supplementary groups are
// given up but for who's own.
func setUser(who *account.User) error {
	if err := syscall.Setgroups([]int{int(who.GID)}); err != nil {
		return fmt.Errorf("setgroups %d: %w", who.GID, err)
	}
	if err := syscall.Setgid(int(who.GID)); err != nil {
		return fmt.Errorf("setgid %d: %w", who.GID, err)
	}
	if err := syscall.Setuid(int(who.UID)); err != nil {
		return fmt.Errorf("setuid %d: %w", who.UID, err)
	}
	return nil
}
