package helper

import "testing"

func TestShare(t *testing.T) {
	type part struct{ children, startup, idle int }
	for _, row := range []struct {
		name      string
		all       part
		perWorker bool
		want      []part // of each worker
	}{
		{"one worker has all", part{5, 3, 1}, false, []part{{5, 3, 1}}},
		{"even", part{8, 4, 2}, false, []part{{4, 2, 1}, {4, 2, 1}}},
		{"the first workers get what does not divide", part{8, 4, 1}, false, []part{{3, 2, 1}, {3, 2, 1}, {2, 2, 1}}},
		{"fewer children than workers", part{2, 1, 1}, false, []part{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}},
		{"none said", part{}, false, []part{{1, 0, 0}, {1, 0, 0}}},
		{"each worker has its own", part{5, 3, 1}, true, []part{{5, 3, 1}, {5, 3, 1}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := Config{Name: "kept", Children: row.all.children, Startup: row.all.startup, Idle: row.all.idle, PerWorker: row.perWorker}
			for worker, want := range row.want {
				s := c.Share(worker, len(row.want))
				if got := (part{s.Children, s.Startup, s.Idle}); got != want || s.Name != "kept" {
					t.Errorf("worker %d of %d has %+v, want %+v", worker, len(row.want), got, want)
				}
			}
		})
	}
}
