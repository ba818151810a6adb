// Package children is what the features that ask helper programs have in common: how many processes of a program
// run (Settings), and how (Process); a question that many requests wait for (Shared, Waiting, Asker); what becomes of
// questions when there are too many (Load); and what is noted of what helpers say (Notes, Note). The pools themselves are
// package helper's, and belong to the engine.
package children
