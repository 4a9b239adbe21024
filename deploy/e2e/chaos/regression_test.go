package chaos

import "time"

// regressions are schedules that found something, cut down to what was needed,
// and what that was. They are kept as they are: a seed's schedule changes with
// the weights, these don't.
func regressions() []schedule {
	ms := time.Millisecond
	plain := schedule{Fsync: "always", Workers: 2, Gateways: 2, Circles: 3, Clients: 2, Results: 10_000, Lease: 600 * ms, Length: 4 * time.Second}
	with := func(change func(*schedule), faults ...fault) schedule {
		s := plain
		if change != nil {
			change(&s)
		}
		s.Faults = faults
		return s
	}
	everysec := func(s *schedule) { s.Fsync, s.Circles, s.Lease = "everysec", 9, 1500*ms }
	kept := []schedule{
		// Redis came back without the last commits, and the owner, whose lease
		// was as good as before, went on from its cache of the state: what had
		// been undone was missing in the middle of what followed.
		with(everysec,
			fault{At: 500 * ms, Kind: redisPower, For: 1 * ms, Delay: 10 * ms},
			fault{At: 1000 * ms, Kind: redisPower, For: 1 * ms, Delay: 30 * ms},
			fault{At: 1500 * ms, Kind: redisPower, For: 1 * ms, Delay: 100 * ms},
			fault{At: 2000 * ms, Kind: redisPower, For: 1 * ms, Delay: 200 * ms},
			fault{At: 2500 * ms, Kind: redisPower, For: 1 * ms, Delay: 10 * ms},
			fault{At: 3000 * ms, Kind: redisPower, For: 1 * ms, Delay: 100 * ms},
			fault{At: 3500 * ms, Kind: redisPower, For: 1 * ms, Delay: 30 * ms},
		),
		// A play's time went by while the state could not be read, and its
		// caller was told of an internal error.
		with(nil,
			fault{At: 500 * ms, Kind: redisPause, For: 1800 * ms},
			fault{At: 2800 * ms, Kind: redisPause, For: 1500 * ms},
		),
		// A gateway was slow to reach Redis when it asked for the time, and took
		// its clock to be ahead: a play that it had given up on reached the queue
		// afterwards and ran. It takes luck to see it; clock_test.go in pkg/queue
		// does without.
		with(func(s *schedule) { s.Circles, s.Lease, s.Length = 6, 1170*ms, 2*time.Second },
			fault{At: 345 * ms, Kind: workerTerm, Target: 0, For: 1312 * ms},
			fault{At: 435 * ms, Kind: gatewaySlow, Target: 1, For: 501 * ms, Delay: 67 * ms},
		),
		// What the sabotaged builds are caught by; a sound one is not.
		pauses(0),
		deaths(0),
	}
	for i := range kept {
		kept[i].Seed = uint64(i) // of the circles' keys and what is played
	}
	return kept
}
