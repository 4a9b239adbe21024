package corpus

import (
	"fmt"
	"strings"

	"circles/pkg/rhai/internal/lines"
)

// Lines writes an answer as the corpus keeps it. Two answers mean the same when their lines are equal.
func Lines(a lines.Answer) []string {
	var out []string
	if a.Stdout != "" {
		for _, text := range strings.Split(strings.TrimSuffix(a.Stdout, "\n"), "\n") {
			out = append(out, strings.TrimRight("print "+visible(text), " "))
		}
	}
	if !a.OK {
		kind := a.ErrorKind
		if a.ParseKind != "" {
			kind += "/" + a.ParseKind
		}
		out = append(out, fmt.Sprintf("error %s %s %s", kind, place(a.Line, a.Column), visible(a.Error)))
		for _, frame := range a.Trace {
			word := "call"
			if frame.Kind == "ErrorInModule" {
				word = "module"
			}
			out = append(out, fmt.Sprintf("%s %s %s", word, visible(frame.Name), place(frame.Line, frame.Column)))
		}
		return out
	}
	out = append(out, fmt.Sprintf("value %s %s", a.Type, visible(a.Value)))
	if a.Type != "string" && a.Type != "()" && a.Display != a.Value {
		out = append(out, "shown "+visible(a.Display))
	}
	for _, v := range a.Scope {
		word := "scope"
		if v.Const {
			word = "const"
		}
		out = append(out, fmt.Sprintf("%s %s %s %s", word, v.Name, v.Type, visible(v.Value)))
	}
	return out
}

// Differences tells where a given answer is not the recorded one, in words. Wordings of parse errors are not compared:
// no script sees them. Where a script runs out of operations is not either: what counts as one is the engine's own.
func Differences(recorded, given []string) []string {
	const outOfOperations = "error ErrorTooManyOperations "
	for i, line := range recorded {
		if strings.HasPrefix(line, outOfOperations) && i < len(given) && strings.HasPrefix(given[i], outOfOperations) {
			recorded, given = recorded[:i], given[:i]
			break
		}
	}
	var out []string
	for i := range max(len(recorded), len(given)) {
		want, got := "nothing", "nothing"
		if i < len(recorded) {
			want = recorded[i]
		}
		if i < len(given) {
			got = given[i]
		}
		if comparable(want) != comparable(got) {
			out = append(out, fmt.Sprintf("got  %s\nwant %s", got, want))
		}
	}
	return out
}

func comparable(line string) string {
	if !strings.HasPrefix(line, "error ErrorParsing/") {
		return line
	}
	fields := strings.SplitN(line, " ", 4)
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func place(line, column int) string {
	if line == 0 {
		return "-"
	}
	return fmt.Sprintf("%d:%d", line, column)
}

// visible keeps a text on one line: control characters, and a space at the end, become their Unicode pictures.
func visible(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r < ' ':
			b.WriteRune('\u2400' + r)
		case r == ' ' && i == len(text)-1:
			b.WriteRune('\u2420')
		case r == '\u007f':
			b.WriteRune('\u2421')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
