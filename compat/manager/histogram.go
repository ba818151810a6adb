package manager

import "math"

// A scale is where the bins of a histogram lie: those of Squid's, so that its page histograms reads as ever.
type scale struct {
	bins   int
	factor float64 // bins to a unit of the logarithm; 0: a bin for each number
	cells  []cell
}

// A cell is a piece of a scale, narrower than a bin, so that no more than two have a part in it: a logarithm costs each
// request more than all else that is counted of it.
type cell struct {
	above float64 // what is not below it belongs to the next bin; where that begins
	bin   uint16  // of the rest
}

// cellBits is how much of a number less than its cell is: with 64 cells from each power of two to the next.
const cellBits = 52 - 6

// firstCell is where the cells begin: at 1, which stands for 0.
var firstCell = math.Float64bits(1) >> cellBits

// Times are in milliseconds.
var (
	serviceScale = logarithmic(300, 3*3600*1000)
	namesScale   = logarithmic(300, 10*60*1000)
	readyScale   = scale{bins: 256}
)

// logarithmic is a scale from 0 to most, with bins that widen.
func logarithmic(bins int, most float64) scale {
	s := scale{bins: bins, factor: float64(bins) / math.Log1p(most)}
	last := math.Float64bits(most+1)>>cellBits - firstCell
	for i := range last + 1 {
		begins := math.Float64frombits((i + firstCell) << cellBits)
		bin := min(int(s.factor*math.Log(begins)+0.5), bins-1)
		s.cells = append(s.cells, cell{math.Exp((float64(bin) + 0.5) / s.factor), uint16(bin)})
	}
	return s
}

// bin is where a value belongs.
func (s *scale) bin(v float64) int {
	one := 1 + max(v, 0)
	c := &s.cells[min(int(math.Float64bits(one)>>cellBits-firstCell), len(s.cells)-1)]
	if one >= c.above {
		return min(int(c.bin)+1, s.bins-1)
	}
	return int(c.bin)
}

// value is where a bin begins.
func (s scale) value(bin int) float64 {
	if s.factor == 0 {
		return float64(bin)
	}
	return math.Expm1(float64(bin) / s.factor)
}

// A curve is a histogram as it was at a moment: the bins that are not empty, in order. It is not changed.
type curve []filled

type filled struct {
	bin int
	n   uint64
}

// curveOf is what a histogram is now.
func curveOf[N uint32 | uint64](bins []N) (c curve) {
	for i, n := range bins {
		if n > 0 {
			c = append(c, filled{i, uint64(n)})
		}
	}
	return c
}

// A histogram is what several workers have counted between two moments.
type histogram struct {
	scale
	counted []uint64
	total   uint64
}

func newHistogram(s scale) *histogram { return &histogram{scale: s, counted: make([]uint64, s.bins)} }

// add adds what a worker has counted from one moment, at which it was as since says, to another.
func (h *histogram) add(now, since curve) {
	for _, f := range now {
		h.counted[f.bin] += f.n
		h.total += f.n
	}
	for _, f := range since {
		h.counted[f.bin] -= f.n
		h.total -= f.n
	}
}

// quantile is the value that a share of what was counted is not above; 0 if there is nothing.
func (h *histogram) quantile(share float64) float64 {
	want, below := share*float64(h.total), 0.0
	for bin, n := range h.counted {
		if n == 0 {
			continue
		}
		if below+float64(n) >= want {
			low, high := h.value(bin), h.value(bin+1)
			return low + (high-low)*max(want-below, 0)/float64(n)
		}
		below += float64(n)
	}
	return 0
}
