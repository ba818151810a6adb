package children

import (
	"bytes"

	"exaproxy/engine"
)

// Notes are what a helper has said to be noted: pairs, which each gives to a function. A password is none, since what is
// noted may be logged.
func Notes(each func(func(key, value []byte))) (notes []engine.Note) {
	each(func(key, value []byte) {
		if string(key) != "password" {
			notes = append(notes, engine.Note{Key: bytes.Clone(key), Value: bytes.Clone(value)})
		}
	})
	return notes
}

// Note notes of a request what a helper has said. As in Squid that takes the place of what was noted under the same names
// before, and the first clt_conn_tag= is noted of the client's connection too. The notes are not changed from then on.
func Note(r *engine.Request, notes []engine.Note) {
	for i := 0; i < len(notes) && len(r.Notes) > 0; i++ {
		r.DropNotes(notes[i].Key)
	}
	tagged := r.Connection == nil
	for _, n := range notes {
		if !tagged && string(n.Key) == "clt_conn_tag" {
			tagged = true
			r.Connection.DropNotes(n.Key)
			r.Connection.AddNote(n.Key, n.Value)
		}
		r.Notes = append(r.Notes, n)
	}
}
