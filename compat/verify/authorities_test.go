package verify

import (
	"encoding/pem"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// filesInMemory are texts by the names of files.
type filesInMemory map[string]string

func (f filesInMemory) ReadFile(name string) ([]byte, error) {
	text, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func (f filesInMemory) Match(pattern string) (names []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if ok, err := path.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			names = append(names, name)
		}
	}
	return names, nil
}

func text(all ...*signed) (pems string) {
	for _, s := range all {
		pems += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Raw}))
	}
	return pems
}

// TestWhoIsTrusted has files that are lent name authorities.
func TestWhoIsTrusted(t *testing.T) {
	one, two, other := authority(t, "one", nil, nil), authority(t, "two", nil, nil), authority(t, "other", nil, nil)
	files := filesInMemory{
		"/both": "certificates:\n" + text(one, two), "/empty": "", "/key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"/path/0123abcd.0": text(one), "/path/0123abcd.1": text(two), "/path/other.pem": text(other), "/path/0123abcd.r0": "a CRL",
		"/plain/one.pem": text(one), "/broken/0123abcd.0": "",
	}
	const unknown = "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY@depth=0"
	for name, row := range map[string]struct {
		file, folder string
		err          string
	}{
		"a file":                   {"/both", "", ""},
		"a folder":                 {"", "/path/", ""},
		"a file and a folder":      {"/both", "/path", ""},
		"a missing file":           {"/none", "", "not exist"},
		"an empty file":            {"/empty", "", "there is no certificate in it"},
		"a file of a key":          {"/key", "", "there is no certificate in it"},
		"a missing folder":         {"", "/none", "openssl rehash"},
		"names that are no hashes": {"", "/plain", "openssl rehash"},
		"a hash of nothing":        {"", "/broken", "there is no certificate in it"},
		"a pattern":                {"", "/p*", "a pattern is no folder"},
	} {
		var a Authorities
		var err error
		if row.file != "" {
			err = a.AddFile(files, row.file)
		}
		if row.folder != "" && err == nil {
			err = a.AddFolder(files, row.folder)
		}
		if (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%s: %v, want %q", name, err, row.err)
		}
		for _, system := range []bool{false, true} {
			pool, err := a.Pool(system)
			if err != nil {
				t.Fatal(err)
			}
			for who, want := range map[*signed]string{one: "", two: "", other: unknown} {
				if row.err != "" {
					want = unknown
				}
				if got := said(Chain(chainOf(server(t, "good.test", who, nil)), &Options{Now: now, Roots: pool})); got != want {
					t.Errorf("%s, with the system %v: of %s it says %s", name, system, who.Subject, got)
				}
			}
		}
	}
}

func TestIntermediates(t *testing.T) {
	root := authority(t, "root", nil, nil)
	between := authority(t, "between", root, nil)
	broken := "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	if all := Intermediates([]byte(text(root) + broken + text(between) + "and so on")); len(all) != 1 || !all[0].Equal(between.Certificate) {
		t.Errorf("they are %v", all)
	}
}
