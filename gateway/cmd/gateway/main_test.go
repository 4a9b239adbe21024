package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"circles/gateway"
	"circles/pkg/settings"
)

func TestHelpListsEverySetting(t *testing.T) {
	var out bytes.Buffer
	if err := command().Run(context.Background(), []string{"--help"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, s := range settings.Describe(gateway.Config{}) {
		if !strings.Contains(out.String(), "\n"+s.Name+" ") {
			t.Errorf("%s is not in the help", s.Name)
		}
	}
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if err := command().Run(context.Background(), []string{"--version"}, &out); err != nil || out.String() != version+"\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestArgumentsThatAreNone(t *testing.T) {
	for _, args := range [][]string{{"--port"}, {"healthcheck", "now"}, {""}} {
		if err := command().Run(context.Background(), args, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "want none, --help, --version or healthcheck") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestBadSettingsStopTheStart(t *testing.T) {
	t.Setenv("CIRCLE_KEYS", "x")
	t.Setenv("PLAY_TIMEOUT", "soon")
	err := command().Run(context.Background(), nil, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "CIRCLE_KEYS") || !strings.Contains(err.Error(), "PLAY_TIMEOUT") {
		t.Errorf("got %v", err)
	}
}
