package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

var (
	everybody = []badPeer{poisonURLs, oddURLs, killedHelpers, slowHeads, slowReaders, brokenUploads, nonsenseSent, bombers, silentNames,
		reloads, rotations}
	// those who take few descriptors, and those who take all
	fewPeers = []badPeer{poisonURLs, oddURLs.times(1), killedHelpers, slowHeads.times(30), idleClients, nonsenseSent.times(1), bombers.times(6), silentNames.times(5),
		reloads, rotations}

	asks = []question{askPage, askMarked, askBlocked, askRewritten, askLarge, askPost, askLookedUp, askTunnel, askBlockedTunnel}
	// on a connection that is kept
	keptAsks = []question{askPage, askMarked, askBlocked, askRewritten, askLarge, askPost}
)

// A new kind of bad peer is a row in everybody; what needs another configuration is a scene.
func scenes(t *testing.T) []scene {
	disk, fullLog := onFullDisk(t)
	all := []scene{{
		name: "every fault",
		conf: "workers 2\nlogfile_rotate 2\n{nameserver}url_rewrite_children 8 startup=8 idle=1\n" +
			"url_rewrite_program {storm} -faults none,banner,slow-start,slow,dies,crashes,twice,chatty\n",
		asks: asks, peers: everybody, says: "wrote a line that nobody asked for",
	}, {
		name: "full disk", // and channels
		conf: "workers 1\nlogfile_rotate 0\naccess_log stdio:" + fullLog + "\n{nameserver}url_rewrite_children 4 startup=4 concurrency=8\n" +
			"url_rewrite_program {storm} -channels -faults none,slow-start,banner,slow,dies,twice\n",
		start: disk, asks: asks, peers: everybody, prepare: makeFullDisk, relief: enlargeDisk, says: "cannot write log file",
	}, {
		name: "few descriptors",
		conf: "workers 1\n{nameserver}url_rewrite_children 4 startup=4 idle=1\n" +
			"url_rewrite_program {storm} -faults none,banner,slow-start,dies\n",
		start: fewDescriptors(), asks: keptAsks, peers: fewPeers, says: "running out of descriptors",
	}, {
		name: "one helper",
		conf: "workers 1\n{nameserver}url_rewrite_children 1 startup=1\nurl_rewrite_program {storm}\n",
		asks: asks, peers: everybody, says: "ended by itself",
	}, tunnelsScene(t)}
	if guard, err := exec.LookPath("squidGuard"); err == nil {
		all = append(all, scene{
			name: "unread pipe", // and squidGuard
			conf: "workers 1\nlogfile_rotate 0\naccess_log stdio:{dir}/" + pipeName + "\n{nameserver}url_rewrite_children 4 startup=4 idle=1\n" +
				"url_rewrite_program " + guard + " -c {dir}/squidGuard.conf\n",
			asks:  slices.DeleteFunc(slices.Clone(asks), func(q question) bool { return q.name == askMarked.name }),
			peers: everybody, prepare: func(s *storm) { makePipe(s); configureGuard(s) }, relief: readPipe,
			says: "nobody reads from log file",
		})
	} else {
		t.Log("squidGuard is not installed")
	}
	return all
}

// configureGuard has squidGuard do what the wayward helpers do.
func configureGuard(s *storm) {
	for _, d := range []string{"db", "db/redirected", "db/rewritten", "guardlog"} {
		path := filepath.Join(s.dir, d)
		if err := os.Mkdir(path, 0o777); err != nil {
			s.t.Fatal(err)
		}
		os.Chmod(path, 0o777)
	}
	writeFile(s.t, s.dir, "db/redirected/domains", forbiddenName+"\n")
	writeFile(s.t, s.dir, "db/rewritten/domains", rewrittenName+"\n")
	writeFile(s.t, s.dir, "squidGuard.conf", fill(s.dir, `dbhome {dir}/db
logdir {dir}/guardlog
dest redirected {
	domainlist redirected/domains
	redirect 302:`+blockPage+`?u=%u
}
dest rewritten {
	domainlist rewritten/domains
	redirect `+s.people.page.URL+`/blocked?u=%u
}
acl {
	default {
		pass !redirected !rewritten all
		redirect 302:`+blockPage+`
	}
}
`))
}
