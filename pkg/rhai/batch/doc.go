// Package batch runs scripts given as JSON lines and answers with JSON lines, the same that the reference
// implementation's oracle reads and writes: so that the two can be compared, by the conformance tests on recorded
// answers and by a fuzzer on new scripts.
//
// A [Question] comes in, an [Answer] goes out. What the language leaves to chance is made equal on both sides: the
// names of anonymous functions are all "anon$".
package batch

import "circles/pkg/rhai/internal/lines"

// The vocabulary of the lines.
type (
	Question = lines.Question
	Answer   = lines.Answer
	Frame    = lines.Frame
	Variable = lines.Variable
)

// Kinds of failure that are no errors of the language.
const (
	KindTimeout = lines.KindTimeout
	KindBadLine = lines.KindBadLine
)
