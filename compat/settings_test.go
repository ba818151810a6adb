package compat

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"exaproxy/compat/acl"
	"exaproxy/compat/conf"
	"exaproxy/compat/errpage"
	"exaproxy/compat/logformat"
	"exaproxy/dnsasync"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata/settings")

// TestSettings loads each archive's squid.conf, with the other files beside it in the place of the
// file system's. The section "settings" has the fields that differ from the defaults, "said"
// what was said, and for a file that is rejected why. A file whose comment begins "Read whole" is read as by -k parse.
func TestSettings(t *testing.T) {
	paths, err := filepath.Glob("../testdata/settings/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := loadArchive(archive)
			for _, section := range []string{"settings", "said"} {
				compareSection(t, archive, section, got[section])
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func compareSection(t *testing.T, a *txtar.Archive, name, got string) {
	t.Helper()
	for i := range a.Files {
		f := &a.Files[i]
		if f.Name != name {
			continue
		}
		if *update {
			f.Data = []byte(got)
		} else if want := string(f.Data); got != want {
			t.Errorf("%s:\ngot:\n%swant:\n%s", name, got, want)
		}
		return
	}
	if *update && got != "" {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(got)})
	} else if got != "" {
		t.Errorf("%s is not empty:\n%s", name, got)
	}
}

// loadArchive gives what the sections should be.
func loadArchive(a *txtar.Archive) map[string]string {
	var said strings.Builder
	o := Overrides{Whole: strings.HasPrefix(string(a.Comment), "Read whole"), Open: openIn(a), Say: func(level int, text string) { fmt.Fprintf(&said, "%d %s\n", level, text) }}
	s, err := Load("squid.conf", o)
	if err != nil {
		fmt.Fprintf(&said, "rejected: %s\n", err)
		return map[string]string{"said": said.String()}
	}
	var b strings.Builder
	differences(&b, "", reflect.ValueOf(*s), reflect.ValueOf(*defaults(acl.NewSet())))
	return map[string]string{"said": said.String(), "settings": b.String()}
}

// openIn opens the archive's files. The system's are empty if the archive does not have them.
func openIn(a *txtar.Archive) conf.Open {
	return func(name string) (io.ReadCloser, error) {
		for _, f := range a.Files {
			if f.Name == name {
				return io.NopCloser(bytes.NewReader(f.Data)), nil
			}
		}
		if name == "/etc/resolv.conf" || name == "/etc/hosts" {
			return io.NopCloser(strings.NewReader("")), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

// differences prints the fields of got that are not as in usual.
func differences(b *strings.Builder, name string, got, usual reflect.Value) {
	switch v := got.Interface().(type) {
	case *acl.List:
		if v != nil && !v.Empty() {
			fmt.Fprintf(b, "%s: rules\n", name)
		}
		return
	case *logformat.Format:
		if v != nil {
			fmt.Fprintf(b, "%s: a format, StripQuery=%v Headers=%v\n", name, v.StripQuery, v.Headers)
		}
		return
	case *dnsasync.Hosts:
		if v != nil && v.Len() > 0 {
			fmt.Fprintf(b, "%s: %d names\n", name, v.Len())
		}
		return
	case *acl.Set, *errpage.Pages:
		return
	}
	switch got.Kind() {
	case reflect.Struct:
		if got.NumMethod() > 0 && got.Type().PkgPath() == "net/netip" {
			break
		}
		for i := range got.NumField() {
			field := got.Type().Field(i)
			switch {
			case !field.IsExported() || ofThisHost(field.Name, got.Field(i)):
			case field.Anonymous:
				differences(b, name, got.Field(i), usual.Field(i))
			default:
				differences(b, strings.TrimPrefix(name+"."+field.Name, "."), got.Field(i), usual.Field(i))
			}
		}
		return
	case reflect.Slice:
		for i := range got.Len() {
			differences(b, fmt.Sprintf("%s[%d]", name, i), got.Index(i), reflect.Zero(got.Type().Elem()))
		}
		return
	case reflect.Map:
		keys := got.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, key := range keys {
			differences(b, fmt.Sprintf("%s[%v]", name, key), got.MapIndex(key), reflect.Zero(got.Type().Elem()))
		}
		return
	case reflect.Pointer:
		if !got.IsNil() {
			differences(b, name, got.Elem(), reflect.Zero(got.Type().Elem()))
		}
		return
	}
	if !reflect.DeepEqual(got.Interface(), usual.Interface()) {
		fmt.Fprintf(b, "%s: %v\n", name, got.Interface())
	}
}

// ofThisHost says whether a field is what the machine is called.
func ofThisHost(field string, v reflect.Value) bool {
	host, _ := os.Hostname()
	return (field == "VisibleName" || field == "UniqueName") && v.String() == strings.ToLower(host)
}

// TestSettersAreComplete holds the setters against the table of directives: what the table says
// is followed has a setter, and a setter belongs to a row of the table that is followed. That there
// are not two is seen when they are put together (directive.Set.Add).
func TestSettersAreComplete(t *testing.T) {
	setters := defaults(acl.NewSet()).directives()
	done := make(map[string]bool)
	for _, row := range conf.Table {
		done[row.Name] = row.Treat == conf.Done
		if done[row.Name] && setters[row.Name] == nil {
			t.Errorf("directive %s is done according to the table, and has no setter", row.Name)
		}
	}
	for name := range setters {
		if !done[name] {
			t.Errorf("there is a setter for %s, which is no row of the table that is done", name)
		}
	}
}
