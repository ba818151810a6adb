package h1

import "testing"

func TestLike(t *testing.T) {
	for said, want := range map[string]struct{ like, unfinished bool }{
		"":                                   {true, true},
		"\r\n":                               {true, true},
		"G":                                  {true, true},
		"GET":                                {true, true},
		"get /x\r\n":                         {true, false},
		"\r\n GET\t/x\n":                     {true, false},
		"NICK somebody\r\n":                  {false, false},
		"SSH-2.0-OpenSSH\r\n":                {false, false},
		"PRI * HTTP/2.0\r\n":                 {true, false},
		"junk\r\nGET / http/1.1\r\n":         {true, false},
		"POST /\x00 HTTP/1.1":                {true, false},
		"\x13BitTorrent":                     {false, false},
		"\xa0":                               {true, true},
		"\x00":                               {false, false},
		"\xff\r\nHTTP/":                      {true, false},
		"OPTIONS rtsp://a.test RTSP/1.0\r\n": {true, false},
		"POST /x\r\nHost: b.test\r\n":        {true, false},
		"\xa0GET /x\r\n":                     {true, false},
		"\x0b\x1cGET\x1c/x\r\n":              {true, false},
		"GET\xa0/x\r\n":                      {true, false},
		"\xa0GE":                             {true, true},
		"frob\xa0/x\r\n":                     {true, false},
		"FROB http://a.test/\r\n":            {true, false},
		"FROB *\r\n":                         {true, false},
		"junk\r\nSOURCE /x RTSP/1.0\r\n":     {true, false},
		"USER a 0 * :b\r\n":                  {false, false},
		"STREAM <stream xmlns='a://b'>\r\n":  {false, false},
	} {
		if Like([]byte(said)) != want.like || want.like && Unfinished([]byte(said)) != want.unfinished {
			t.Errorf("%q: like a request %v, unfinished %v", said, Like([]byte(said)), Unfinished([]byte(said)))
		}
	}
}
