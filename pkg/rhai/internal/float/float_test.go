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

func BenchmarkPow(b *testing.B) {
	for b.Loop() {
		Pow(1.05, 10.5)
	}
}
