package conf

// nearest is the name of a directive that differs least from one that no Squid knows, if that is by a slip of the fingers: a
// letter in eight too many, missing, wrong, or in its neighbour's place. Of several those count that are followed. "" if there
// is none.
func nearest(name string) (found string) {
	best := 2 * (len(name)/8 + 2)
	for known, d := range index {
		far := 2 * slips(name, known)
		if d.Treat != Done {
			far++
		}
		if far < best || far == best && found != "" && known < found {
			best, found = far, known
		}
	}
	return found
}

// slips is how many slips lead from a to b.
func slips(a, b string) int {
	last, row := make([]int, len(b)+1), make([]int, len(b)+1)
	var before []int
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			wrong := 1
			if a[i] == b[j] {
				wrong = 0
			}
			row[j+1] = min(last[j]+wrong, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
