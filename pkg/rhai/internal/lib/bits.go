package lib

import "circles/pkg/rhai/value"

const intBits = 64

// bits adds what treats an int as a field of bits.
func bits(r *value.Registry, sequences *value.CustomType) {
	pure(r, "get_bit", func(_ value.Context, args []value.Value) (value.Value, error) {
		bit, err := bitAt(args[1].Int())
		return value.Bool(args[0].Int()>>bit&1 != 0), err
	}, tInt, tInt)
	mutating(r, "set_bit", func(_ value.Context, args []value.Value) (value.Value, error) {
		bit, err := bitAt(args[1].Int())
		if err != nil {
			return value.Value{}, err
		}
		x := args[0].Int() &^ (1 << bit)
		if args[2].Bool() {
			x |= 1 << bit
		}
		args[0] = value.Int(x)
		return value.Unit(), nil
	}, tInt, tInt, tBool)

	portions(func(params ...value.Type) {
		pure(r, "get_bits", func(_ value.Context, args []value.Value) (value.Value, error) {
			if err := lastBit(args[1]); err != nil {
				return value.Value{}, err
			}
			if _, count := askedBits(args); count <= 0 {
				return value.Int(0), nil
			}
			from, count, err := bitField(args)
			return value.Int(int64(uint64(args[0].Int()) >> from & mask(count))), err
		}, params...)
	}, tInt)
	portions(func(params ...value.Type) {
		mutating(r, "set_bits", func(_ value.Context, args []value.Value) (value.Value, error) {
			last := len(args) - 1
			if err := lastBit(args[1]); err != nil {
				return value.Value{}, err
			}
			if _, count := askedBits(args[:last]); count <= 0 {
				return value.Unit(), nil
			}
			from, count, err := bitField(args[:last])
			if err != nil {
				return value.Value{}, err
			}
			x := uint64(args[0].Int()) &^ (mask(count) << from)
			x |= (uint64(args[last].Int()) & mask(count)) << from
			args[0] = value.Int(int64(x))
			return value.Unit(), nil
		}, params...)
	}, tInt, tInt)

	walk := func(_ value.Context, args []value.Value) (value.Value, error) {
		from, count, err := bitField(args)
		if err != nil {
			return value.Value{}, err
		}
		x := uint64(args[0].Int()) >> from
		return sequences.New(&sequence{name: "BitRange", begin: func() func() (value.Value, bool, error) {
			rest, left := x, count
			return func() (value.Value, bool, error) {
				if left == 0 {
					return value.Value{}, false, nil
				}
				bit := value.Bool(rest&1 != 0)
				rest, left = rest>>1, left-1
				return bit, true, nil
			}
		}}), nil
	}
	portions(func(params ...value.Type) { pure(r, "bits", walk, params...) }, tInt)
	pure(r, "bits", walk, tInt, tInt)
	pure(r, "bits", walk, tInt)
	pure(r, value.Getter("bits"), walk, tInt)
}

// bitAt resolves the index of a bit: a negative one counts from the highest.
func bitAt(index int64) (uint, error) {
	at := index
	if at < 0 {
		at += intBits
	}
	if at < 0 || at >= intBits {
		return 0, value.BitFieldBounds(index)
	}
	return uint(at), nil
}

// askedBits is what the arguments behind the first ask for: nothing for all bits, a range, or a start with or without a
// count.
func askedBits(args []value.Value) (start, count int64) {
	switch {
	case len(args) == 1:
		return 0, intBits
	case args[1].IsInt() && len(args) == 2:
		return args[1].Int(), intBits
	case args[1].IsInt():
		return args[1].Int(), args[2].Int()
	}
	r := args[1].Range()
	if r.Inclusive() && r.To < max(r.From, 0) {
		return max(r.From, 0), 0
	}
	return extent(r)
}

// lastBit checks the end of a range that includes it. A range ends one before its start at the earliest.
func lastBit(v value.Value) error {
	if v.Kind() != value.KindRangeInclusive {
		return nil
	}
	if last := max(v.Range().To, max(v.Range().From, 0)-1); last >= intBits {
		return value.BitFieldBounds(last)
	}
	return nil
}

// bitField is the field of bits that the arguments ask for.
func bitField(args []value.Value) (from, count uint, err error) {
	start, n := askedBits(args)
	if from, err = bitAt(start); err != nil {
		return 0, 0, err
	}
	return from, uint(min(max(n, 0), int64(intBits-from))), nil
}

// mask has the lowest bits set. A shift by 64 is zero, which makes all of them.
func mask(count uint) uint64 { return 1<<count - 1 }
