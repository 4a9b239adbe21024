package main

import (
	"context"
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		args   []string
		output string
		fails  string
	}{
		{[]string{"--version"}, "dev\n", ""},
		{[]string{"--help"}, "CIRCLE_KEYS", ""},
		{[]string{"-h"}, "SCRIPT_MAX_OPERATIONS", ""},
		{[]string{"serve"}, "", "unknown arguments"},
		{[]string{"--help", "--version"}, "", "unknown arguments"},
	} {
		var out strings.Builder
		err := command().Run(context.Background(), test.args, &out)
		if !strings.Contains(out.String(), test.output) || (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
			t.Errorf("%v: got %q, %v", test.args, out.String(), err)
		}
	}
}

func TestBadSettingsAreAllReported(t *testing.T) {
	t.Setenv("CIRCLE_KEYS", "")
	t.Setenv("LEASE_TTL", "soon")
	t.Setenv("REDIS_URL", "http://:s3cret@host")
	for _, args := range [][]string{nil, {"healthcheck"}} {
		err := command().Run(context.Background(), args, nil)
		if err == nil {
			t.Fatalf("%v: no error", args)
		}
		for _, name := range []string{"CIRCLE_KEYS", "LEASE_TTL", "REDIS_URL"} {
			if strings.Count(err.Error(), name) != 1 {
				t.Errorf("%v: %s is not named once in %q", args, name, err)
			}
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}
