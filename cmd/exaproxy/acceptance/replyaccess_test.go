package acceptance

import (
	"net/http"
	"strings"
	"testing"
)

// TestReplyAccessIsSquids has both proxies judge replies: what clients are told, and what is logged, is the same.
func TestReplyAccessIsSquids(t *testing.T) {
	o := newOrigin(t, "127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/film":
			w.Header().Set("Content-Type", "Video/mp4")
		case "/moved":
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "/missing":
			w.Header().Set("X-Mark", "yes and no")
			w.WriteHeader(http.StatusNotFound)
		}
		if r.Method != "HEAD" {
			w.Write([]byte("twenty bytes of page"))
		}
	}))
	var list []asked
	for _, path := range []string{"/", "/film", "/moved", "/missing", "/big"} {
		list = append(list, asked{name: path, raw: get("http://" + o.addr() + path)},
			asked{name: "HEAD " + path, raw: request("HEAD", "http://"+o.addr()+path)})
	}
	for _, conf := range []string{
		"acl f rep_mime_type -i ^video/\nhttp_reply_access deny f\n",
		"acl f rep_mime_type ^video/\nhttp_reply_access deny f\nhttp_reply_access allow all\n",
		"acl f rep_header X-Mark ^yes\ndeny_info http://block.test/?%u f\nhttp_reply_access deny f\n",
		"acl f http_status 300-399 404\nacl m method HEAD\ndeny_info ERR_TOO_BIG f\nhttp_reply_access deny m f\n",
		"acl f has response\nacl r random 99999999/100000000\nhttp_reply_access deny f r\n",
		"acl q urlpath_regex ^/big\nreply_body_max_size none q\nreply_body_max_size 10 bytes\n",
		"acl q dst 127.0.0.1\nhttp_reply_access deny !q\nreply_body_max_size 20 bytes all\n",
	} {
		t.Run(strings.ReplaceAll(conf, "\n", "; "), func(t *testing.T) {
			ours, theirs := comparison{t: t, conf: conf}.hold(list)
			for i, a := range list {
				if got, want := judgedReply(ours[i]), judgedReply(theirs[i]); got != want {
					t.Errorf("%s:\n got %s\nwant %s", a.name, got, want)
				}
			}
		})
	}
}

// judgedReply is what a client is told of a reply, and what is logged of it but for times and sizes.
func judgedReply(e exchange) string {
	told := e.status + " " + e.fault
	for line := range strings.SplitSeq(string(e.reply), "\r\n") {
		if strings.HasPrefix(line, "Location: ") || strings.HasPrefix(line, "X-Squid-Error: ") {
			told += " " + line
		}
	}
	for _, line := range e.log {
		if f := strings.Fields(line); len(f) > 5 {
			told += "; " + f[3] + " " + strings.Join(f[5:], " ")
		}
	}
	return told
}
