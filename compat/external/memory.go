package external

// remember begins an entry. Where there are too many, those that were not used for longest go.
func (t *asked) remember(k key) *entry {
	e := &entry{of: t, key: k}
	t.known[k] = e
	t.push(e)
	for old := t.oldest; len(t.known) > max(t.most, 1) && old != nil; {
		newer := old.newer
		if old.question == nil && old != e {
			t.forget(old)
		}
		old = newer
	}
	return e
}

// use has an entry be the last that is forgotten.
func (t *asked) use(e *entry) {
	if t.newest != e {
		t.unlink(e)
		t.push(e)
	}
}

func (t *asked) push(e *entry) {
	e.older, e.newer = t.newest, nil
	if t.newest != nil {
		t.newest.newer = e
	}
	t.newest = e
	if t.oldest == nil {
		t.oldest = e
	}
}

func (t *asked) unlink(e *entry) {
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		t.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		t.newest = e.older
	}
}

func (t *asked) forget(e *entry) {
	t.unlink(e)
	delete(t.known, e.key)
}
