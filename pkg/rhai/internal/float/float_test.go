package float

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestKnownDigits(t *testing.T) {
	// As a C library prints them.
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"1.1 ** 10", Pow(1.1, 10), 2.5937424601000023},
		{"3.7 ** -2.2", Pow(3.7, -2.2), 0.05622846232438557},
		{"2 ** 0.1", Pow(2, 0.1), 1.0717734625362931},
		{"2 ** 0.5", Pow(2, 0.5), math.Sqrt2},
		{"10 ** 300", Pow(10, 300), 1e300},
		{"10 ** -300", Pow(10, -300), 1e-300},
		{"-2 ** 3", Pow(-2, 3), -8},
		{"-2 ** 2", Pow(-2, 2), 4},
		{"-2 ** -1", Pow(-2, -1), -0.5},
		{"0 ** 0", Pow(0, 0), 1},
		{"0 ** -1", Pow(0, -1), math.Inf(1)},
		{"2 ** 2000", Pow(2, 2000), math.Inf(1)},
		{"2 ** -2000", Pow(2, -2000), 0},
		{"2 ** -1074", Pow(2, -1074), math.SmallestNonzeroFloat64},
		{"1 ** inf", Pow(1, math.Inf(1)), 1},
		{"exp 1", Exp(1), math.E},
		{"exp 0.5", Exp(0.5), 1.6487212707001282},
		{"exp 0", Exp(0), 1},
		{"exp -inf", Exp(math.Inf(-1)), 0},
		{"exp 1000", Exp(1000), math.Inf(1)},
		{"ln 2", Log(2), math.Ln2},
		{"ln 10", Log(10), math.Ln10},
		{"ln 9", Log(9), 2.1972245773362196},
		{"ln 1", Log(1), 0},
		{"ln 0", Log(0), math.Inf(-1)},
		{"ln inf", Log(math.Inf(1)), math.Inf(1)},
		{"log 3", Log10(3), 0.47712125471966244},
		{"log 1000", Log10(1000), 3},
		{"log 1e-7", Log10(1e-7), -7},
		{"log 1e22", Log10(1e22), 22},
		{"sin 0.5", Sin(0.5), 0.479425538604203},
		{"sin 1e22", Sin(1e22), -0.8522008497671888},
		{"sin 0", Sin(0), 0},
		{"sin inf - sin inf", Sin(1e300) - Sin(1e300), 0},
		{"cos 1e300", Cos(1e300), -0.5753861119575491},
		{"cos pi/2", Cos(math.Pi / 2), 6.123233995736766e-17},
		{"tan pi/4", Tan(math.Pi / 4), 0.9999999999999999},
		{"asin 1", Asin(1), math.Pi / 2},
		{"asin -0.5", Asin(-0.5), -0.5235987755982989},
		{"acos 0", Acos(0), math.Pi / 2},
		{"acos -1", Acos(-1), math.Pi},
		{"atan 1e300", Atan(1e300), math.Pi / 2},
		{"atan2 0 -1", Atan2(0, -1), math.Pi},
		{"atan2 1e-200 1e200", Atan2(1e-200, 1e200), 0},
		{"atan2 3e-320 4e-320", Atan2(3e-320, 4e-320), 0.6435011087932844},
		{"hypot 3 4", Hypot(3, 4), 5},
		{"hypot 3e300 4e300", Hypot(3e300, 4e300), 5e300},
		{"hypot -inf 1", Hypot(math.Inf(-1), 1), math.Inf(1)},
		{"hypot 0 0", Hypot(0, 0), 0},
		{"sinh 1", Sinh(1), 1.1752011936438014},
		{"sinh -1000", Sinh(-1000), math.Inf(-1)},
		{"cosh 0", Cosh(0), 1},
		{"tanh 100", Tanh(100), 1},
		{"asinh -1", Asinh(-1), -0.881373587019543},
		{"asinh 0", Asinh(0), 0},
		{"acosh 1", Acosh(1), 0},
		{"atanh 0.5", Atanh(0.5), 0.5493061443340548},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	for name, x := range map[string]float64{"(-8) ** 0.5": Pow(-8, 0.5), "ln -1": Log(-1), "exp NaN": Exp(math.NaN())} {
		if !math.IsNaN(x) {
			t.Errorf("%s: got %v, want NaN", name, x)
		}
	}
}

// Whole powers can be had exactly, and rounded once.
func TestPowIsRoundedOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		x := r.Float64()*4 + 0.1
		n := 2 + r.IntN(60)
		exact := big.NewFloat(1).SetPrec(4096)
		for range n {
			exact.Mul(exact, big.NewFloat(x))
		}
		want, _ := exact.Float64()
		if got := Pow(x, float64(n)); got != want {
			t.Fatalf("%v ** %d: got %v, want %v", x, n, got, want)
		}
	}
}

func TestExpUndoesLog(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		x := math.Ldexp(r.Float64()+0.5, r.IntN(600)-300)
		if got := exp(log(x)); got != x {
			t.Fatalf("exp(log(%v)): got %v", x, got)
		}
	}
}

// Wherever an angle is, the square of its sine and that of its cosine make one.
func TestSineAndCosineBelongTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		x := math.Ldexp(r.Float64()-0.5, r.IntN(1000)-20)
		sin, cos := turned(x)
		one := sin.times(sin).plus(cos.times(cos))
		if off := (one.hi - 1) + one.lo; math.Abs(off) > 1e-22 {
			t.Fatalf("%v: off by %v", x, off)
		}
		if guess := math.Sin(x); math.Abs(guess-sin.hi) > 1e-12 && math.Abs(x) < 1e4 {
			t.Fatalf("sin %v: got %v, want about %v", x, sin.hi, guess)
		}
	}
}

func BenchmarkSin(b *testing.B) {
	for b.Loop() {
		Sin(1.05)
	}
}

func BenchmarkPow(b *testing.B) {
	for b.Loop() {
		Pow(1.05, 10.5)
	}
}
