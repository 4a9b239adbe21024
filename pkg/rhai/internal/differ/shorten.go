package main

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"circles/pkg/rhai/batch"
)

// maxTries bounds the work on one script.
const maxTries = 500

// shorten takes pieces off a script for as long as it differs in much the same way: lines, then what is in brackets,
// with and without them, then single pieces.
func (c *comparer) shorten(q batch.Question, found difference) (batch.Question, difference, error) {
	short := shortest{comparer: c, q: q, found: found}
	lines := strings.SplitAfter(q.Script, "\n")
	if _, err := short.without(lines, each); err != nil {
		return short.q, short.found, err
	}
	for range 4 { // what one kind of cut leaves, another may take
		before := len(short.q.Script)
		for _, cuts := range []func([]string) [][]int{bracketed, statements, each} {
			if _, err := short.without(pieces(short.q.Script), cuts); err != nil {
				return short.q, short.found, err
			}
		}
		if len(short.q.Script) == before {
			break
		}
	}
	return short.q, short.found, nil
}

// shortest is the shortest script so far that makes the difference.
type shortest struct {
	*comparer
	q     batch.Question
	found difference
	tries int
}

// without tries to do without parts, by the lists of their numbers that cuts gives. It begins anew after each success.
func (s *shortest) without(parts []string, cuts func([]string) [][]int) ([]string, error) {
	for from := 0; ; {
		list := cuts(parts)
		if s.tries++; from >= len(list) || s.tries > maxTries {
			return parts, nil
		}
		var fewer []string
		for i, part := range parts {
			if !slices.Contains(list[from], i) {
				fewer = append(fewer, part)
			}
		}
		try := s.q
		try.Script = strings.Join(fewer, "")
		results, err := s.compare([]batch.Question{try})
		if err != nil {
			return parts, err
		}
		if r := results[0]; r.skipped || len(r.lines) == 0 || r.looks() != s.found.looks() {
			from++
			continue
		}
		parts, s.q, s.found = fewer, try, results[0]
	}
}

// each is every part alone, but for gaps.
func each(parts []string) (out [][]int) {
	for i, part := range parts {
		if strings.TrimSpace(part) != "" {
			out = append(out, []int{i})
		}
	}
	return out
}

// bracketed is each pair of brackets with what is between them, what is between them, and the pair alone.
func bracketed(parts []string) (out [][]int) {
	for i, part := range parts {
		if end := closing(parts, i); strings.ContainsAny(part, "([{") && end > i {
			var all []int
			for n := i; n <= end; n++ {
				all = append(all, n)
			}
			out = append(out, all, all[1:len(all)-1], []int{i, end})
		}
	}
	return out
}

// statements is each run of parts up to a semicolon or a closing brace.
func statements(parts []string) (out [][]int) {
	for i := range parts {
		if i > 0 && !strings.ContainsAny(parts[i-1], ";{}(,|") {
			continue
		}
		var all []int
		for n, depth := i, 0; n < len(parts); n++ {
			if strings.ContainsAny(parts[n], "([{") {
				depth++
			} else if len(parts[n]) == 1 && strings.Contains(")]}", parts[n]) {
				depth--
			}
			if depth < 0 {
				break
			}
			all = append(all, n)
			if depth == 0 && (parts[n] == ";" || parts[n] == "}" || parts[n] == ",") {
				out = append(out, slices.Clone(all))
			}
		}
	}
	return out
}

// closing is the number of the part that closes the bracket at i.
func closing(parts []string, i int) int {
	depth := 0
	for n := i; n < len(parts); n++ {
		switch {
		case strings.ContainsAny(parts[n], "([{") && len(parts[n]) <= 2:
			depth++
		case parts[n] == ")" || parts[n] == "]" || parts[n] == "}":
			if depth--; depth == 0 {
				return n
			}
		}
	}
	return -1
}

// pieces cuts a source into its words, literals, symbols and gaps, roughly; together they are the source.
func pieces(source string) []string {
	var out []string
	for source != "" {
		n := pieceLen(source)
		out = append(out, source[:n])
		source = source[n:]
	}
	return out
}

func pieceLen(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	run := func(in func(rune) bool) int {
		if at := strings.IndexFunc(s, func(r rune) bool { return !in(r) }); at >= 0 {
			return at
		}
		return len(s)
	}
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
	switch {
	case unicode.IsSpace(first):
		return run(unicode.IsSpace)
	case word(first):
		return run(word)
	case first == '"' || first == '\'':
		for i := 1; i < len(s) && s[i] != '\n'; i++ {
			if s[i] == '\\' {
				i++
			} else if s[i] == byte(first) {
				return i + 1
			}
		}
		return 1
	}
	for _, symbol := range []string{"<<=", ">>=", "**=", "..=", "...", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.",
		"?[", "#{", "${", "::", "..", "**", "<<", ">>", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "//", "/*", "*/"} {
		if strings.HasPrefix(s, symbol) {
			return len(symbol)
		}
	}
	return n
}
