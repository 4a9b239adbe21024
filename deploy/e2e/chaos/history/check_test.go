package history

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

const ms = time.Millisecond

// acked is an effect that was acknowledged.
func acked(token string, place int, invoked, returned time.Duration) Play {
	return Play{Token: token, Kind: Effect, Invoked: invoked, Returned: returned,
		Status: Acked, Told: Told{Token: token, Place: place}}
}

// ended is an effect that was not acknowledged.
func ended(token string, status Status, invoked, returned time.Duration) Play {
	return Play{Token: token, Kind: Effect, Invoked: invoked, Returned: returned, Status: status}
}

func read(token string, place int, invoked, returned time.Duration) Play {
	p := acked(token, place, invoked, returned)
	p.Kind = Read
	return p
}

func revoked(p Play) Play { p.Revoked = true; return p }
func failing(p Play) Play { p.Kind = Fail; return p }

// moved makes a play a Bank's.
func moved(p Play, from, to, amount int, told ...int) Play {
	p.From, p.To, p.Amount, p.Told.Balances = from, to, amount, told
	return p
}

func seen(p Play, sum int) Play { p.Told.Balances = []int{sum}; return p }

func TestCheck(t *testing.T) {
	crash := []Rollback{{From: 100 * ms, Killed: 200 * ms}}
	for _, test := range []struct {
		name      string
		workload  Workload
		plays     []Play
		rollbacks []Rollback
		final     Final
		want      []Fault
	}{
		{name: "nothing happened", workload: Counter},
		{
			name: "counter: in order, with a gap that an unknown play explains", workload: Counter,
			plays: []Play{acked("a", 1, 0, 10*ms), ended("b", Unknown, 5*ms, 15*ms), acked("c", 3, 12*ms, 20*ms)},
			final: Final{Count: 3},
		},
		{
			name: "counter: an unknown play that never took effect", workload: Counter,
			plays: []Play{acked("a", 1, 0, 10*ms), ended("b", Unknown, 5*ms, 15*ms)},
			final: Final{Count: 1},
		},
		{
			name: "counter: plays under way together may come in any order", workload: Counter,
			plays: []Play{acked("a", 2, 0, 10*ms), acked("b", 1, 5*ms, 15*ms)},
			final: Final{Count: 2},
		},
		{
			name: "counter: fewer than acknowledged", workload: Counter,
			plays: []Play{acked("a", 1, 0, 10*ms), acked("b", 2, 11*ms, 15*ms)},
			final: Final{Count: 1}, want: []Fault{Lost, Lost},
		},
		{
			name: "counter: more than sent", workload: Counter,
			plays: []Play{acked("a", 1, 0, 10*ms), ended("b", Unknown, 11*ms, 15*ms)},
			final: Final{Count: 3}, want: []Fault{Doubled},
		},
		{
			name: "counter: a refused play counted", workload: Counter,
			plays: []Play{acked("a", 1, 0, 10*ms), ended("b", Refused, 11*ms, 15*ms)},
			final: Final{Count: 2}, want: []Fault{Doubled},
		},
		{
			name: "counter: two callers told the same", workload: Counter,
			plays: []Play{acked("a", 1, 0, 10*ms), acked("b", 1, 0, 10*ms)},
			final: Final{Count: 2}, want: []Fault{Doubled},
		},
		{
			name: "counter: against time", workload: Counter,
			plays: []Play{acked("a", 2, 0, 10*ms), acked("b", 1, 11*ms, 15*ms)},
			final: Final{Count: 2}, want: []Fault{Reordered},
		},
		{
			name: "counter: a crash undoes the last second", workload: Counter, rollbacks: crash,
			plays: []Play{acked("a", 1, 0, 10*ms), acked("b", 2, 110*ms, 120*ms), acked("c", 2, 300*ms, 310*ms)},
			final: Final{Count: 2},
		},
		{
			name: "counter: a crash undoes more than it may", workload: Counter, rollbacks: crash,
			plays: []Play{acked("a", 1, 0, 10*ms), acked("b", 2, 110*ms, 120*ms), acked("c", 1, 300*ms, 310*ms)},
			final: Final{Count: 1}, want: []Fault{Doubled, Lost},
		},
		{
			name: "counter: what a crash undid counts twice", workload: Counter, rollbacks: crash,
			plays: []Play{acked("a", 1, 0, 10*ms), acked("b", 2, 110*ms, 120*ms)},
			final: Final{Count: 3}, want: []Fault{Doubled},
		},
		{
			name: "counter: a read that is behind", workload: Counter,
			plays: []Play{acked("a", 1, 0, 10*ms), read("r", 0, 20*ms, 30*ms)},
			final: Final{Count: 1}, want: []Fault{Reordered},
		},
		{
			name: "counter: a read of what was taken back", workload: Counter,
			plays: []Play{ended("a", Unknown, 0, 10*ms), read("r", 1, 20*ms, 30*ms)},
			final: Final{Count: 0}, want: []Fault{Lost},
		},
		{
			name: "counter: a play in a place that was read before it was sent", workload: Counter,
			plays: []Play{ended("a", Unknown, 0, 10*ms), read("r", 1, 20*ms, 30*ms), acked("b", 1, 40*ms, 50*ms)},
			final: Final{Count: 1}, want: []Fault{Reordered},
		},
		{
			name: "another's reply", workload: Counter,
			plays: []Play{{Token: "e", Kind: Echo, N: 4, Status: Acked, Told: Told{Token: "f", Place: 4}}},
			want:  []Fault{Foreign},
		},
		{
			name: "an echo that is wrong", workload: Counter,
			plays: []Play{{Token: "e", Kind: Echo, N: 4, Status: Acked, Told: Told{Token: "e", Place: 5}}},
			want:  []Fault{Wrong},
		},
		{
			name: "a result of a play that throws", workload: Counter,
			plays: []Play{failing(acked("a", 1, 0, 10*ms))},
			want:  []Fault{Wrong},
		},
		{
			name: "a play that throws its own token", workload: List,
			plays: []Play{{Token: "a", Kind: Fail, Status: Refused, Failure: "runtime: a"}},
		},
		{
			name: "a play that throws another's token", workload: List,
			plays: []Play{{Token: "a", Kind: Fail, Status: Refused, Failure: "runtime: b"},
				{Token: "b", Kind: Fail, Status: Refused, Failure: "runtime: b"}},
			want: []Fault{Foreign},
		},
		{
			name: "a play that should not throw", workload: List,
			plays: []Play{{Token: "a", Kind: Effect, Status: Refused, Failure: "no such property"}},
			want:  []Fault{Wrong},
		},
		{
			name: "an internal error", workload: List,
			plays: []Play{{Token: "a", Kind: Effect, Status: Refused, Unexpected: true}},
			want:  []Fault{Wrong},
		},
		{
			name: "list: in order", workload: List,
			plays: []Play{acked("a", 1, 0, 10*ms), ended("b", Unknown, 5*ms, 15*ms), acked("c", 3, 12*ms, 20*ms),
				ended("d", Refused, 21*ms, 22*ms), ended("e", Unknown, 21*ms, 22*ms)},
			final: Final{Order: []string{"a", "b", "c"}},
		},
		{
			name: "list: lost", workload: List,
			plays: []Play{acked("a", 1, 0, 10*ms), acked("b", 2, 0, 10*ms)},
			final: Final{Order: []string{"b"}}, want: []Fault{Lost, Wrong},
		},
		{
			name: "list: doubled", workload: List,
			plays: []Play{acked("a", 1, 0, 10*ms), ended("b", Unknown, 0, 10*ms)},
			final: Final{Order: []string{"a", "b", "b"}}, want: []Fault{Doubled},
		},
		{
			name: "list: refused and there", workload: List,
			plays: []Play{ended("a", Refused, 0, 10*ms)},
			final: Final{Order: []string{"a"}}, want: []Fault{Leaked},
		},
		{
			name: "list: cancelled and there", workload: List,
			plays: []Play{revoked(ended("a", Refused, 0, 10*ms))},
			final: Final{Order: []string{"a"}}, want: []Fault{Leaked},
		},
		{
			name: "list: a play that throws and is there", workload: List,
			plays: []Play{failing(ended("a", Refused, 0, 10*ms))},
			final: Final{Order: []string{"a"}}, want: []Fault{Leaked},
		},
		{
			name: "list: nobody sent it", workload: List,
			final: Final{Order: []string{"a"}}, want: []Fault{Leaked},
		},
		{
			name: "list: an unknown play before one that had ended when it was sent", workload: List,
			plays: []Play{acked("a", 2, 0, 10*ms), ended("b", Unknown, 20*ms, 30*ms)},
			final: Final{Order: []string{"b", "a"}}, want: []Fault{Reordered},
		},
		{
			name: "list: an unknown play long after its caller gave up", workload: List,
			plays: []Play{ended("b", Unknown, 0, 10*ms), acked("a", 1, 20*ms, 30*ms)},
			final: Final{Order: []string{"a", "b"}},
		},
		{
			name: "list: a crash undoes the end", workload: List, rollbacks: crash,
			plays: []Play{acked("a", 1, 90*ms, 95*ms), acked("b", 2, 110*ms, 120*ms), acked("c", 3, 130*ms, 140*ms),
				acked("d", 3, 300*ms, 310*ms)},
			final: Final{Order: []string{"a", "b", "d"}},
		},
		{
			name: "list: a crash undoes the end, which is run again behind a new play", workload: List, rollbacks: crash,
			plays: []Play{acked("a", 1, 110*ms, 120*ms), acked("b", 2, 130*ms, 140*ms), acked("c", 3, 150*ms, 160*ms),
				acked("d", 2, 300*ms, 310*ms)},
			final: Final{Order: []string{"a", "d", "c", "b"}},
		},
		{
			name: "list: a crash undoes the middle", workload: List, rollbacks: crash,
			plays: []Play{acked("a", 1, 110*ms, 120*ms), acked("b", 2, 130*ms, 140*ms), acked("c", 3, 150*ms, 160*ms),
				ended("u", Unknown, 110*ms, 120*ms)},
			final: Final{Order: []string{"a", "u", "c"}}, want: []Fault{Lost},
		},
		{
			name: "list: a crash undoes what is older than it may", workload: List, rollbacks: crash,
			plays: []Play{acked("a", 1, 0, 20*ms)},
			want:  []Fault{Lost},
		},
		{
			name: "list: a crash undoes a cancellation", workload: List, rollbacks: crash,
			plays: []Play{revoked(ended("a", Refused, 110*ms, 120*ms))},
			final: Final{Order: []string{"a"}},
		},
		{
			name: "list: a crash brings an expired play back", workload: List, rollbacks: crash,
			plays: []Play{ended("a", Refused, 110*ms, 120*ms)},
			final: Final{Order: []string{"a"}}, want: []Fault{Leaked},
		},
		{
			name: "list: a crash doubles", workload: List, rollbacks: crash,
			plays: []Play{acked("a", 1, 110*ms, 120*ms)},
			final: Final{Order: []string{"a", "a"}}, want: []Fault{Doubled},
		},
		{
			name: "bank: in order", workload: Bank,
			plays: []Play{moved(acked("a", 1, 0, 10*ms), 0, 1, 30, 70, 130), moved(ended("b", Unknown, 5*ms, 15*ms), 1, 0, 10),
				moved(acked("c", 3, 12*ms, 20*ms), 0, 1, 1, 79, 121), seen(read("r", 3, 30*ms, 40*ms), 200)},
			final: Final{Order: []string{"a", "b", "c"}, Accounts: []int{79, 121}},
		},
		{
			name: "bank: half a transfer", workload: Bank,
			plays: []Play{moved(ended("a", Unknown, 0, 10*ms), 0, 1, 30)},
			final: Final{Order: []string{"a"}, Accounts: []int{70, 100}}, want: []Fault{Torn, Torn},
		},
		{
			name: "bank: a transfer without its journal", workload: Bank,
			plays: []Play{moved(ended("a", Unknown, 0, 10*ms), 0, 1, 30)},
			final: Final{Accounts: []int{70, 130}}, want: []Fault{Torn},
		},
		{
			name: "bank: half a transfer was seen", workload: Bank,
			plays: []Play{seen(read("r", 0, 0, 10*ms), 170)},
			final: Final{Accounts: []int{100, 100}}, want: []Fault{Torn},
		},
		{
			name: "bank: other balances than the order implies", workload: Bank,
			plays: []Play{moved(acked("a", 1, 0, 10*ms), 0, 1, 30, 70, 131)},
			final: Final{Order: []string{"a"}, Accounts: []int{70, 130}}, want: []Fault{Wrong},
		},
		{
			name: "bank: overdrawing is refused", workload: Bank,
			plays: []Play{{Token: "a", Kind: Effect, Amount: 130, Status: Refused, Failure: "runtime: overdrawn"}},
			final: Final{Accounts: []int{100, 100}},
		},
		{
			name: "bank: overdrawn", workload: Bank,
			plays: []Play{moved(ended("a", Unknown, 0, 10*ms), 0, 1, 130)},
			final: Final{Order: []string{"a"}, Accounts: []int{-30, 230}}, want: []Fault{Wrong},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := History{Circle: "c", Workload: test.workload, Plays: test.plays, Rollbacks: test.rollbacks, Final: test.final}
			if test.workload == Bank {
				h.Opening = []int{100, 100}
			}
			var got []Fault
			for _, v := range Check(h) {
				got = append(got, v.Fault)
				t.Log(v)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestToldIsReadFromAPlaysValue(t *testing.T) {
	var got Told
	if err := json.Unmarshal([]byte(`["c0.1",7,100,-2]`), &got); err != nil {
		t.Fatal(err)
	}
	if want := (Told{Token: "c0.1", Place: 7, Balances: []int{100, -2}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, bad := range []string{`7`, `["a"]`, `[1,2]`, `["a","b"]`, `["a",1,"b"]`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s was read as %+v", bad, got)
		}
	}
	text, err := json.Marshal(Told{Token: "c", Place: 1, Balances: []int{2}})
	if err != nil || string(text) != `["c",1,2]` {
		t.Errorf("wrote %s, %v", text, err)
	}
}
