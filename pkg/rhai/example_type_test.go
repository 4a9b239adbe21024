package rhai_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strings"

	"circles/pkg/rhai"
)

type Money struct{ Cents int }

func (m Money) String() string { return fmt.Sprintf("%d.%02d", m.Cents/100, m.Cents%100) }

// Values of a struct are copied; a method on a pointer writes to the variable that it is called on.
func ExampleType() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		money := rhai.Type[Money](r, "Money")
		money.Get("cents", func(m Money) int { return m.Cents })
		money.Set("cents", func(m *Money, n int) { m.Cents = n })
		money.Method("round", func(m *Money) { m.Cents -= m.Cents % 100 })
		money.Operator("+", func(a, b Money) Money { return Money{a.Cents + b.Cents} })
		money.Operator("*", func(a Money, n int) Money { return Money{a.Cents * n} })
		money.Operator("+=", func(a *Money, b Money) { a.Cents += b.Cents })
		money.Compare(func(a, b Money) int { return cmp.Compare(a.Cents, b.Cents) })
		money.Print(Money.String)
		r.Func("money", func(cents int) Money { return Money{cents} })
	}))
	v, err := engine.Eval(context.Background(), `
		let price = money(1250);
		let total = price;
		total += price * 2;
		total.cents += 49;
		let rounded = total;
		rounded.round();
		[price, total, rounded, price < total, total in [money(3799)], type_of(total)]`)
	fmt.Println(v, err)
	// Output: [12.50, 37.99, 37.00, true, true, "Money"] <nil>
}

type Account struct{ Owner string }

// Values of a pointer type are references.
func ExampleType_reference() {
	var accounts *rhai.TypeBuilder[*Account]
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		accounts = rhai.Type[*Account](r, "Account")
		accounts.Get("owner", func(a *Account) string { return a.Owner })
		accounts.Method("give_to", func(a *Account, owner string) { a.Owner = owner })
	}))
	account := &Account{"ada"}
	scope := rhai.NewScope()
	if err := scope.SetConstant("account", accounts.Value(account)); err != nil {
		fmt.Println(err)
		return
	}
	v, err := rhai.Eval[string](context.Background(), engine, `let a = account; a.give_to("bob"); account.owner`, scope)
	fmt.Println(v, err, account.Owner)
	// Output: bob <nil> bob
}

func ExampleTypeBuilder_Method() {
	type Counter struct{ N int }
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		rhai.Type[Counter](r, "Counter").
			Method("add", func(c *Counter, list ...int) {
				for _, n := range list {
					c.N += n
				}
			}).
			Method("each", func(ctx context.Context, c Counter, f rhai.FnPtr) error {
				for i := range c.N {
					if _, err := f.Call(ctx, i); err != nil {
						return err
					}
				}
				return nil
			})
		r.Func("counter", func() Counter { return Counter{} })
	}))
	v, err := engine.Eval(context.Background(), `
		let c = counter();
		c.add(1, 2);
		let seen = [];
		c.each(|i| seen.push(i));
		seen`)
	fmt.Println(v, err)
	// Output: [0, 1, 2] <nil>
}

type Vector []float64

func ExampleTypeBuilder_Index() {
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		vector := rhai.Type[Vector](r, "Vector").Clone(func(v Vector) Vector { return append(Vector(nil), v...) })
		vector.Index(func(v Vector, i int) (float64, error) {
			if i < 0 || i >= len(v) {
				return 0, fmt.Errorf("vector has %d elements", len(v))
			}
			return v[i], nil
		})
		vector.SetIndex(func(v *Vector, i int, x float64) { (*v)[i] = x })
		r.Func("vector", func(list ...float64) Vector { return list })
	}))
	v, err := engine.Eval(context.Background(), `let a = vector(1.0, 2.0); let b = a; b[0] += 9.0; [a[0], b[0]]`)
	fmt.Println(v, err)
	_, err = engine.Eval(context.Background(), `vector()[0]`)
	fmt.Println(err)
	// Output:
	// [1.0, 10.0] <nil>
	// Runtime error: vector has 0 elements (line 1, position 10)
}

type Profile struct {
	Name  string   `rhai:"name"`
	Tags  []string `rhai:"tags"`
	ID    int      `rhai:"id,readonly"`
	Token string   `rhai:"-"`
}

func ExampleTypeBuilder_Fields() {
	var profiles *rhai.TypeBuilder[*Profile]
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		profiles = rhai.Type[*Profile](r, "Profile").Doc("A user's profile.").Fields()
	}))
	p := &Profile{Name: "ada", ID: 7, Token: "secret"}
	program, err := engine.Compile(`profile.name = "Ada"; profile.tags += "math"; profile.id`)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := program.Run(context.Background(), nil,
		rhai.WithVariables(map[string]rhai.Value{"profile": profiles.Value(p)}))
	fmt.Println(v, err, p.Name, p.Tags)
	// Output: 7 <nil> Ada [math]
}

func ExampleTypeBuilder_Equal() {
	type Tag struct{ Name string }
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		rhai.Type[Tag](r, "Tag").
			Equal(func(a, b Tag) bool { return strings.EqualFold(a.Name, b.Name) }).
			Print(func(t Tag) string { return t.Name }).
			Debug(func(t Tag) string { return "#" + t.Name })
		r.Func("tag", func(name string) Tag { return Tag{name} })
	}))
	v, err := engine.Eval(context.Background(), `[tag("Go") == tag("go"), tag("x") in [tag("y")], [tag("z")]]`)
	fmt.Println(v, err)
	// Output: [true, false, [#z]] <nil>
}

type Tree struct {
	Left, Right *Tree
	Label       string
}

func (t *Tree) All(yield func(string) bool) bool {
	return t == nil || t.Left.All(yield) && yield(t.Label) && t.Right.All(yield)
}

func ExampleIter() {
	tree := &Tree{&Tree{nil, nil, "a"}, &Tree{nil, nil, "c"}, "b"}
	var trees *rhai.TypeBuilder[*Tree]
	engine := rhai.New(rhai.With(func(r *rhai.Registry) {
		trees = rhai.Type[*Tree](r, "Tree")
		rhai.Iter(trees, func(t *Tree) iter.Seq[string] {
			return func(yield func(string) bool) { t.All(yield) }
		})
	}))
	scope := rhai.NewScope()
	if err := scope.Set("tree", trees.Value(tree)); err != nil {
		fmt.Println(err)
		return
	}
	v, err := rhai.Eval[string](context.Background(), engine, `let s = ""; for (label, i) in tree { s += i + label; } s`, scope)
	fmt.Println(v, err)
	// Output: 0a1b2c <nil>
}
