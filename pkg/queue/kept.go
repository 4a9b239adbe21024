package queue

// keptMarks is how often results is trimmed while as many outcomes as are kept are
// added.
const keptMarks = 16

// kept works out how a circle's results are trimmed. An entry of theirs has the
// outcomes of one commit, and outcomes are what is counted: Redis can't do that.
type kept struct {
	most  int    // outcomes that are kept, at least
	ended int    // how many this lease has added
	marks []mark // oldest first: what is before the first one can go
	due   bool   // the next commit is to trim
}

// A mark is an entry of results, before which this lease had added so many
// outcomes.
type mark struct {
	ended int
	entry string
}

// added notes an entry of so many outcomes.
func (k *kept) added(outcomes int, entry string) {
	n := len(k.marks)
	k.due = n == 0 || k.ended-k.marks[n-1].ended > k.most/keptMarks
	if k.due {
		k.marks = append(k.marks, mark{k.ended, entry})
	}
	k.ended += outcomes
	for k.due && k.reaches(1) {
		k.marks = k.marks[1:]
	}
}

// reaches reports whether as many outcomes as are kept came from a mark on.
func (k *kept) reaches(i int) bool {
	return i < len(k.marks) && k.ended-k.marks[i].ended >= k.most
}

// appendTrim adds how results is trimmed, as XADD takes it, or nothing, in three
// arguments. A lease that has not added as many as are kept can tell entries alone:
// former owners have added the others. So there may be twice as many outcomes as
// are kept; a batch of plays for each, where no lease lasts so long.
func (k *kept) appendTrim(args []any) []any {
	switch {
	case !k.reaches(0):
		return append(args, "MAXLEN", "~", k.most)
	case k.due:
		return append(args, "MINID", "=", &k.marks[0].entry)
	default:
		return append(args, "", "", "")
	}
}
