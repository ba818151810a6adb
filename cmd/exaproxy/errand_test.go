package main

import "testing"

// TestErrand has those who ask while it is run served by one more run, which begins after they asked.
func TestErrand(t *testing.T) {
	asked, runs := 0, make(chan chan int)
	e := newErrand(func() int {
		result := make(chan int)
		runs <- result
		return <-result
	})
	ask := func() { asked++; e.ask() }
	ask()
	first := <-runs
	for range 5 {
		ask()
	}
	first <- 1
	if n := <-e.done; n != 1 {
		t.Errorf("the first run gives %d", n)
	}
	e.finish()
	second := <-runs
	second <- asked
	if n := <-e.done; n != 6 {
		t.Errorf("the second run gives %d", n)
	}
	e.finish()
	if e.running || e.again {
		t.Error("there is a third run, which nobody asked for")
	}
	ask()
	(<-runs) <- 3
	if n := <-e.done; n != 3 {
		t.Errorf("one that was asked for later gives %d", n)
	}
}
