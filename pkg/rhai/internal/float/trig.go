package float

import (
	"math"
	"math/big"
)

// A quarter turn as a sum of three floats, about 160 bits of it.
const (
	quarter1 = math.Pi / 2
	quarter2 = 6.123233995736766035868820147292e-17
	quarter3 = -1.497384904859169777320797133937e-33
)

// reduced brings an angle into [-π/4, π/4] by taking off n quarter turns. Only the last two bits of n are meant.
func reduced(x float64) (r pair, n int) {
	if math.Abs(x) > 1<<20 {
		return reducedBig(x)
	}
	q := math.Round(x / quarter1)
	r = pair{x, 0}.plus(product(-q, quarter1)).plus(product(-q, quarter2)).plus(product(-q, quarter3))
	return r, int(q) & 3
}

// reducedBig does the same with as many digits of π as the largest float needs.
func reducedBig(x float64) (r pair, n int) {
	const bits = 1024 + 53 + 128 // before the point, of the float, of the rest
	quarter := new(big.Int).Rsh(pi(bits), 1)
	angle, _ := new(big.Float).SetMantExp(big.NewFloat(x), bits).Int(nil)
	turns, rest := new(big.Int).DivMod(angle, quarter, new(big.Int))
	if twice := new(big.Int).Lsh(rest, 1); twice.Cmp(quarter) > 0 {
		turns.Add(turns, big.NewInt(1))
		rest.Sub(rest, quarter)
	}
	exact := new(big.Float).SetMantExp(new(big.Float).SetInt(rest), -bits)
	r.hi, _ = exact.Float64()
	r.lo, _ = exact.Sub(exact, big.NewFloat(r.hi)).Float64()
	return r, int(new(big.Int).And(turns, big.NewInt(3)).Int64())
}

// pi is π with that many bits behind the point: 16 arctan 1/5 - 4 arctan 1/239.
func pi(bits uint) *big.Int {
	const guard = 32
	arctan := func(d int64) *big.Int {
		power := new(big.Int).Lsh(big.NewInt(1), bits+guard)
		power.Div(power, big.NewInt(d))
		sum, term, square := new(big.Int).Set(power), new(big.Int), big.NewInt(-d*d)
		for n := int64(3); power.BitLen() > 1; n += 2 {
			power.Quo(power, square)
			sum.Add(sum, term.Quo(power, big.NewInt(n)))
		}
		return sum
	}
	a, b := arctan(5), arctan(239)
	a.Lsh(a, 4).Sub(a, b.Lsh(b, 2))
	return a.Rsh(a, guard)
}

// series is 1 - z/n(n-1) + …, the Taylor series of the cosine, for n = 2, or of the sine over its angle, for n = 3, with
// z the square of an angle in [-π/4, π/4]. So many terms are summed as pairs.
func series(square pair, n float64, pairs int) pair {
	z := square.hi
	tail := 0.0
	for m := n + 18; m >= n+2*float64(pairs); m -= 2 {
		tail = (1 - tail*z) / (m * (m - 1))
	}
	s := pair{1, 0}.plus(product(-z, tail))
	for m := n + 2*float64(pairs-1); m >= n; m -= 2 {
		s = pair{1, 0}.plus(square.times(s).over(pair{-m * (m - 1), 0}))
	}
	return s
}

const (
	fewPairs  = 1 // good for 61 bits
	manyPairs = 4 // good for 75 bits
)

// sine is the sine of an angle in [-π/4, π/4] after n quarter turns.
func sine(r pair, n, pairs int) pair {
	square := r.times(r)
	var s pair
	if n&1 == 0 {
		s = r.times(series(square, 3, pairs))
	} else {
		s = series(square, 2, pairs)
	}
	if n&2 != 0 {
		return s.negated()
	}
	return s
}

// rounded is the sine as a float. Where few terms leave in doubt which one is nearest, it takes more.
func rounded(r pair, n int) float64 {
	s := sine(r, n, fewPairs)
	doubt := s.hi * 0x1p-58
	if near := s.hi + (s.lo - doubt); near == s.hi+(s.lo+doubt) {
		return near
	}
	s = sine(r, n, manyPairs)
	return s.hi + s.lo
}

// turned is the sine and the cosine of any angle.
func turned(x float64) (sin, cos pair) {
	r, n := reduced(x)
	return sine(r, n, manyPairs), sine(r, n+1, manyPairs)
}

func (a pair) negated() pair { return pair{-a.hi, -a.lo} }

// tiny is below what the terms behind the first can change, and below what pairs can hold.
const tiny = 1e-9

// Sin is the sine of x radians.
func Sin(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) < tiny {
		return math.Sin(x)
	}
	return rounded(reduced(x))
}

// Cos is the cosine of x radians.
func Cos(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) < tiny {
		return math.Cos(x)
	}
	r, n := reduced(x)
	return rounded(r, n+1)
}

// Tan is the tangent of x radians.
func Tan(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) < tiny {
		return math.Tan(x)
	}
	sin, cos := turned(x)
	t := sin.over(cos)
	return t.hi + t.lo
}

// angle is the angle of the point (x, y): a guess, and one step of Newton's.
func angle(y, x pair) float64 {
	guess := math.Atan2(y.hi, x.hi)
	sin, cos := turned(guess)
	off := y.times(cos).plus(x.times(sin).negated()).over(x.times(cos).plus(y.times(sin)))
	return guess + off.hi
}

// Atan is the arctangent in radians.
func Atan(x float64) float64 {
	if a := math.Abs(x); !(a > tiny && a < 1/(tiny*tiny)) {
		return math.Atan(x)
	}
	return angle(pair{x, 0}, pair{1, 0})
}

// Atan2 is the angle of the point (x, y) in radians.
func Atan2(y, x float64) float64 {
	_, ye := math.Frexp(y)
	_, xe := math.Frexp(x)
	if x == 0 || y == 0 || math.IsNaN(x+y) || math.IsInf(x, 0) || math.IsInf(y, 0) || xe-ye > 500 || ye-xe > 500 {
		return math.Atan2(y, x)
	}
	return angle(pair{math.Ldexp(y, -xe), 0}, pair{math.Ldexp(x, -xe), 0})
}

// leg is √(1-x²).
func leg(x float64) pair { return sum(1, -x).times(sum(1, x)).root() }

// root is the square root.
func (a pair) root() pair {
	if a.hi == 0 {
		return a
	}
	guess := math.Sqrt(a.hi)
	rest := a.plus(product(-guess, guess))
	return sum(guess, rest.hi/(2*guess))
}

// Asin is the arcsine in radians.
func Asin(x float64) float64 {
	if !(math.Abs(x) > tiny && math.Abs(x) < 1) {
		return math.Asin(x)
	}
	return angle(pair{x, 0}, leg(x))
}

// Acos is the arccosine in radians.
func Acos(x float64) float64 {
	if !(math.Abs(x) < 1) {
		return math.Acos(x)
	}
	return angle(leg(x), pair{x, 0})
}

// Hypot is √(x²+y²).
func Hypot(x, y float64) float64 {
	x, y = math.Abs(x), math.Abs(y)
	_, e := math.Frexp(max(x, y))
	x, y = math.Ldexp(x, -e), math.Ldexp(y, -e)
	if !(min(x, y) > 1e-20) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return math.Ldexp(math.Hypot(x, y), e)
	}
	h := product(x, x).plus(product(y, y)).root()
	return math.Ldexp(h.hi+h.lo, e)
}
