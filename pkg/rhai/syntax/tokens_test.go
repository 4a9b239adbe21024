package syntax_test

import (
	"testing"

	"circles/pkg/rhai/syntax"
)

func TestTokens(t *testing.T) {
	for source, want := range map[string][]syntax.Token{
		"let x += 1.5": {
			{Pos: syntax.Pos{Line: 1, Column: 1}, Kind: "keyword", Text: "let"},
			{Pos: syntax.Pos{Line: 1, Column: 5}, Kind: "identifier", Text: "x"},
			{Pos: syntax.Pos{Line: 1, Column: 7}, Kind: "symbol", Text: "+="},
			{Pos: syntax.Pos{Line: 1, Column: 10}, Kind: "float", Text: "1.5"},
		},
		"`a${#{}}b`": {
			{Pos: syntax.Pos{Line: 1, Column: 1}, Kind: "text", Text: "a"},
			{Pos: syntax.Pos{Line: 1, Column: 4}, Kind: "symbol", Text: "{"},
			{Pos: syntax.Pos{Line: 1, Column: 5}, Kind: "symbol", Text: "#{"},
			{Pos: syntax.Pos{Line: 1, Column: 7}, Kind: "symbol", Text: "}"},
			{Pos: syntax.Pos{Line: 1, Column: 8}, Kind: "symbol", Text: "}"},
			{Pos: syntax.Pos{Line: 1, Column: 9}, Kind: "string", Text: "b"},
		},
		"x 'ab": {
			{Pos: syntax.Pos{Line: 1, Column: 1}, Kind: "identifier", Text: "x"},
			{Pos: syntax.Pos{Line: 1, Column: 3}, Kind: "error"},
		},
	} {
		got := syntax.Tokens(source, syntax.Options{})
		if len(got) != len(want) {
			t.Errorf("%s: got %v, want %v", source, got, want)
			continue
		}
		for i, w := range want {
			if w.Kind == "error" {
				w.Text, w.Pos = got[i].Text, got[i].Pos
			}
			if got[i] != w {
				t.Errorf("%s: got %v, want %v", source, got[i], w)
			}
		}
	}
}
