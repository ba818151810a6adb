package logformat

import (
	"testing"

	"exaproxy/engine"
)

const apache = `%>a %[ui %[un [%tl] "%rm %ru HTTP/%rv" %>Hs %<st "%{Referer}>h" "%{User-Agent}>h" %Ss:%Sh`

// formats are those whose lines must cost no memory.
func formats(t testing.TB) map[string]*Format {
	all := map[string]*Format{}
	for _, name := range []string{"squid", "common", "combined", "referrer", "useragent"} {
		all[name], _ = Builtin(name)
	}
	f, err := Compile(apache)
	if err != nil {
		t.Fatal(err)
	}
	all["compiled"] = f
	return all
}

func TestLinesCostNoMemory(t *testing.T) {
	rec, buf := fetched(t), make([]byte, 0, 1024)
	rec.Request.User = "j doe"
	for name, f := range formats(t) {
		if n := testing.AllocsPerRun(100, func() { buf = f.Append(buf[:0], rec) }); n != 0 {
			t.Errorf("a line in the format %s costs %v allocations, it should cost none", name, n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	rec, buf := fetched(b), make([]byte, 0, 1024)
	for name, f := range formats(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = f.Append(buf[:0], rec)
			}
		})
	}
}

// FuzzCompile: no format and no value leads to a panic, and what is quoted for brackets or a
// URL is printable.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{apache, "%ts.%03tu %6tr %>a", "%-8.3>a|%{X:;b}>h%note{a:}%{%j%Q}tl", "%\"", "%.", "%{", "%0", "%http::%", "%byte{9}%transport::>connection_id", "%SRCx%us%transport::>"} {
		f.Add(seed, "j doe\r\n[%]")
	}
	f.Fuzz(func(t *testing.T, format, user string) {
		rec := fetched(t)
		rec.Request.User = user
		if compiled, err := Compile(format); err == nil {
			compiled.Append(nil, rec)
		}
		for _, code := range []string{"%[un", "%#un"} {
			for _, c := range []byte(line(t, code, rec)) {
				if c < ' ' || c >= 0x7f {
					t.Errorf("%s of %q should be printable, it has the byte %#x", code, user, c)
				}
			}
		}
		Newer(format)
		Gone(format, 7)
		rec.Request = &engine.Request{}
		if compiled, err := Compile(format); err == nil {
			compiled.Append(nil, rec)
		}
	})
}
