package helper

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Check returns why a program cannot be run, in words for whoever wrote the configuration: it is
// missing, a directory, not executable, or a script whose interpreter is missing. That it
// returns nil promises little: the children may run as another user, and later.
func Check(argv []string) error {
	if len(argv) == 0 || argv[0] == "" {
		return errors.New("check helper program: none is named")
	}
	path := argv[0]
	about, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("check helper program %s: there is no such file (give its full path: "+
			"neither PATH nor a shell is consulted): %w", path, fs.ErrNotExist)
	case err != nil:
		return fmt.Errorf("check helper program %s: %w", path, err)
	case about.IsDir():
		return fmt.Errorf("check helper program %s: it is a directory (name the program in it)", path)
	case !about.Mode().IsRegular():
		return fmt.Errorf("check helper program %s: it is not a regular file", path)
	case about.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("check helper program %s: it is not executable (chmod +x %s): %w", path, path, fs.ErrPermission)
	}
	return checkInterpreter(path)
}

// checkInterpreter looks for the program that the first line of a script names (execve(2)).
func checkInterpreter(path string) error {
	first, ok := bytes.CutPrefix(firstLine(path), []byte("#!"))
	if !ok {
		return nil
	}
	words := bytes.FieldsFunc(first, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 {
		return fmt.Errorf("check helper program %s: its first line names no interpreter after #!", path)
	}
	interpreter := string(words[0])
	if bytes.HasSuffix(first, []byte{'\r'}) {
		return fmt.Errorf("check helper program %s: its lines end in CR LF, so that its interpreter is %q "+
			"(convert its line ends: sed -i 's/\\r$//' %s)", path, bytes.TrimLeft(first, " \t"), path)
	}
	if _, err := os.Stat(interpreter); err != nil {
		return fmt.Errorf("check helper program %s: its interpreter: %w", path, err)
	}
	return nil
}

// firstLine returns the beginning of a file up to its first line feed; nothing if it cannot be
// read, which running it does not need.
func firstLine(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	head := make([]byte, 256) // as much as the kernel looks at
	n, _ := f.Read(head)
	line, _, _ := bytes.Cut(head[:n], []byte{'\n'})
	return line
}
