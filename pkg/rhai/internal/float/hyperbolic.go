package float

import "math"

// The hyperbolic functions and the decimal logarithm of the reference's platform are not rounded to the last digit, and
// so they are not here: these are the formulas that C libraries have for them, and Rust for the inverses.

// Sinh is the hyperbolic sine.
func Sinh(x float64) float64 {
	a := math.Abs(x)
	half := math.Copysign(0.5, x)
	switch {
	case a > largest:
		e := Exp(a / 2)
		return half * e * e
	case a >= 22:
		return half * Exp(a)
	case !(a >= 0x1p-28):
		return x
	case a < 1:
		t := math.Expm1(a)
		return half * (2*t - t*t/(t+1))
	}
	t := math.Expm1(a)
	return half * (t + t/(t+1))
}

// Cosh is the hyperbolic cosine.
func Cosh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case a > largest:
		e := Exp(a / 2)
		return 0.5 * e * e
	case !(a < 22):
		return 0.5 * Exp(a)
	case a < math.Ln2/2:
		t := math.Expm1(a)
		w := 1 + t
		return 1 + (t*t)/(w+w)
	}
	t := Exp(a)
	return 0.5*t + 0.5/t
}

// Tanh is the hyperbolic tangent.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	if !(a < 22 && a > 0x1p-55) {
		return math.Tanh(x)
	}
	var z float64
	if a >= 1 {
		z = 1 - 2/(math.Expm1(2*a)+2)
	} else {
		t := math.Expm1(-2 * a)
		z = -t / (t + 2)
	}
	return math.Copysign(z, x)
}

// Asinh is the inverse hyperbolic sine.
func Asinh(x float64) float64 {
	a := math.Abs(x)
	inverse := 1 / a
	return math.Copysign(math.Log1p(a+(a/(Hypot(1, inverse)+inverse))), x)
}

// Acosh is the inverse hyperbolic cosine.
func Acosh(x float64) float64 {
	if x < 1 {
		return math.NaN()
	}
	return Log(x + math.Sqrt(x-1)*math.Sqrt(x+1))
}

// Atanh is the inverse hyperbolic tangent.
func Atanh(x float64) float64 {
	return 0.5 * math.Log1p((2*x)/(1-x))
}

// Log10 is the logarithm to base 10.
func Log10(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log10(x)
	}
	// x is m·2ᵏ with m in [1, 2), or for x below 1 in [0.5, 1).
	m, k := math.Frexp(x)
	if k > 0 {
		m, k = 2*m, k-1
	}
	const twoHi, twoLo = 3.01029995663611771306e-01, 3.69423907715893078616e-13 // log10 2, its last bits apart
	y := float64(k)
	z := y*twoLo + math.Log10E*Log(m)
	return z + y*twoHi
}
