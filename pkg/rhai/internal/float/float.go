// Package float computes powers, exponentials, logarithms and the functions of angles with errors of hardly more than
// half a unit in the last place, as C libraries do and package math does not, so that scripts print the digits that they
// print elsewhere. The hyperbolic functions, which C libraries do not round as well, are off as they are there.
//
// The work is done on pairs of floats: the sum hi+lo carries about 106 bits when lo is at most half a unit in the last
// place of hi. A logarithm is brought into [-ln √2, ln √2] by taking a power of two off its argument, and summed as a
// series of (m-1)/(m+1); an exponential into [-ln2/2, ln2/2], a sixteenth of which goes into a Taylor series. Terms
// that are small enough are summed as plain floats.
package float

import "math"

type pair struct{ hi, lo float64 }

var ln2 = pair{math.Ln2, 2.319046813846299558417771e-17} // the rest of ln 2 behind its float

// sum adds two floats exactly.
func sum(a, b float64) pair {
	s := a + b
	t := s - a
	return pair{s, (a - (s - t)) + (b - t)}
}

// product multiplies two floats exactly.
func product(a, b float64) pair {
	p := a * b
	return pair{p, math.FMA(a, b, -p)}
}

func (a pair) plus(b pair) pair {
	s := sum(a.hi, b.hi)
	t := sum(a.lo, b.lo)
	s = sum(s.hi, s.lo+t.hi)
	return sum(s.hi, s.lo+t.lo)
}

func (a pair) times(b pair) pair {
	p := product(a.hi, b.hi)
	return sum(p.hi, p.lo+a.hi*b.lo+a.lo*b.hi)
}

// over divides.
func (a pair) over(b pair) pair {
	q := a.hi / b.hi
	r := a.plus(b.times(pair{-q, 0}))
	q2 := r.hi / b.hi
	r = r.plus(b.times(pair{-q2, 0}))
	s := sum(q, q2)
	return sum(s.hi, s.lo+r.hi/b.hi)
}

// log is the natural logarithm of a positive finite number.
func log(x float64) pair {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	// 2 artanh s = 2s (1 + s²/3 + s⁴/5 + s⁶/7 + …)
	s := pair{m - 1, 0}.over(sum(m, 1))
	s2 := s.times(s)
	z := s2.hi
	tail := 1.0 / 29
	for n := 27.0; n >= 7; n -= 2 {
		tail = tail*z + 1/n
	}
	fifth := pair{1, 0}.over(pair{5, 0}).plus(product(z, tail))
	third := pair{1, 0}.over(pair{3, 0}).plus(s2.times(fifth))
	series := pair{1, 0}.plus(s2.times(third))
	series = series.times(pair{2 * s.hi, 2 * s.lo})
	return ln2.times(pair{float64(k), 0}).plus(series)
}

// exp is the exponential of a number.
func exp(x pair) float64 {
	k := math.Round(x.hi / math.Ln2)
	r := x.plus(ln2.times(pair{-k, 0}))
	r = pair{r.hi / 16, r.lo / 16}
	z := r.hi
	tail := 1.0 / 39916800
	for _, c := range []float64{1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6} {
		tail = tail*z + c
	}
	half := r.times(r)
	e := r.plus(pair{half.hi / 2, half.lo / 2}).plus(product(z*z*z, tail)) // eʳ-1
	for range 4 {
		e = e.plus(e).plus(e.times(e)) // (1+e)²-1
	}
	e = pair{1, 0}.plus(e)
	return math.Ldexp(e.hi+e.lo, int(k))
}

// largest is where the exponential begins to be more than a float can hold.
const largest = 709.782712893384

// smallest is where it is less than the least float that is not zero.
const smallest = -745.133219101941

// Exp is e to the power of x.
func Exp(x float64) float64 {
	if !(x >= smallest && x < largest) {
		return math.Exp(x) // an extreme, or no number
	}
	return exp(pair{x, 0})
}

// Log is the natural logarithm.
func Log(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x)
	}
	l := log(x)
	return l.hi + l.lo
}

// Pow is x to the power of y.
func Pow(x, y float64) float64 {
	whole := y == math.Trunc(y)
	switch {
	case math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0) || x == 0 || y == 0 || (x < 0 && !whole):
		return math.Pow(x, y)
	case x == 1 || y == 1:
		return x
	}
	l := log(math.Abs(x)).times(pair{y, 0})
	if !(l.hi >= smallest && l.hi < 710) { // out of range
		return math.Pow(x, y)
	}
	p := exp(l)
	if x < 0 && whole && math.Mod(y, 2) != 0 {
		p = -p
	}
	return p
}
