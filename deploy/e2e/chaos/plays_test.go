package chaos

import (
	"fmt"
	"math/rand/v2"

	"circles/deploy/e2e/chaos/history"
)

// Accounts of a bank, and what is in each at the beginning.
const (
	accounts = 5
	opening  = 100
)

// Every play returns its own token first, so that a caller that gets another's
// result knows.
const (
	echoScript = `[args.token, args.n]`

	// Some plays take a while, so that faults hit them while they run.
	spin = `let n = args.spin; while n > 0 { n -= 1; } `

	openCounter   = `state.count = 0; state.count`
	counterEffect = spin + `state.count += 1; [args.token, state.count]`
	counterFail   = `state.count += 1000; throw args.token;`
	counterRead   = `[args.token, state.count]`
	counterFinal  = `#{count: state.count}`

	openList   = `state.list = []; state.list.len()`
	listEffect = spin + `let list = state.list; list.push(args.token); state.list = list; [args.token, list.len()]`
	listFail   = `let list = state.list; list.push(args.token); state.list = list; throw args.token;`
	listRead   = `[args.token, state.list.len()]`
	listFinal  = `#{order: state.list}`

	openBank = `for i in 0..args.accounts { state["a" + i] = args.opening; } state.n = 0; state.n`

	// A transfer that overdraws throws after it has written all: the state must
	// be as if it had not run.
	bankEffect = spin + `
		let from = "a" + args.from;
		let to = "a" + args.to;
		state[from] -= args.amount;
		state[to] += args.amount;
		let n = state.n + 1;
		state["j" + n] = args.token;
		state.n = n;
		if state[from] < 0 { throw "` + history.Overdrawn + `"; }
		[args.token, n, state[from], state[to]]`
	bankFail  = `state.a0 -= 1; state.n += 1; throw args.token;`
	bankRead  = `let seen = [args.token, state.n]; for i in 0..args.accounts { seen.push(state["a" + i]); } seen`
	bankFinal = `
		let order = [];
		for i in 1..=state.n { order.push(state["j" + i]); }
		let left = [];
		for i in 0..args.accounts { left.push(state["a" + i]); }
		#{order: order, accounts: left}`
)

// A scripted is a workload's plays.
type scripted struct{ open, effect, fail, read, final string }

func scriptsOf(w history.Workload) scripted {
	switch w {
	case history.Counter:
		return scripted{openCounter, counterEffect, counterFail, counterRead, counterFinal}
	case history.List:
		return scripted{openList, listEffect, listFail, listRead, listFinal}
	default:
		return scripted{openBank, bankEffect, bankFail, bankRead, bankFinal}
	}
}

// workload gives each circle one.
func workload(circle int) history.Workload {
	return []history.Workload{history.List, history.Counter, history.Bank}[circle%3]
}

// draw makes up a play.
func draw(r *rand.Rand, w history.Workload, caller string, number int) history.Play {
	p := history.Play{Token: fmt.Sprintf("%s:%d;", caller, number), Caller: caller}
	switch n := r.IntN(100); {
	case n < 75:
		p.Kind = history.Effect
	case n < 83:
		p.Kind = history.Fail
	case n < 93:
		p.Kind = history.Read
	default:
		p.Kind = history.Echo
		p.N = r.IntN(1_000_000)
	}
	if r.IntN(12) == 0 {
		p.Spin = r.IntN(1_000_000)
	}
	if w == history.Bank && p.Kind == history.Effect {
		p.From = r.IntN(accounts)
		p.To = (p.From + 1 + r.IntN(accounts-1)) % accounts
		p.Amount = 1 + r.IntN(60)
	}
	return p
}

// script is what is sent for a play.
func script(w history.Workload, p history.Play) (text string, args map[string]any) {
	args = map[string]any{"token": p.Token}
	scripts := scriptsOf(w)
	switch p.Kind {
	case history.Effect:
		text = scripts.effect
		args["spin"] = p.Spin
		if w == history.Bank {
			args["from"], args["to"], args["amount"] = p.From, p.To, p.Amount
		}
	case history.Fail:
		text = scripts.fail
	case history.Read:
		text = scripts.read
		args["accounts"] = accounts
	case history.Echo:
		text = echoScript
		args["n"] = p.N
	}
	return text, args
}
