package queue

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestOpen(t *testing.T) {
	for url, want := range map[string]string{
		"redis://127.0.0.1:6379":                                                 "one server",
		"rediss://user:secret@redis.example:6380/0":                              "one server",
		"redis+sentinel://127.0.0.1:26379/0?master_name=m&addr=127.0.0.1:26380":  "one server",
		"redis+cluster://127.0.0.1:7000?addr=127.0.0.1:7001&addr=127.0.0.1:7002": "cluster",
	} {
		client, err := Open(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		got := "one server"
		if _, ok := client.(*redis.ClusterClient); ok {
			got = "cluster"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenRefusesAndHidesPasswords(t *testing.T) {
	for url, want := range map[string]string{
		"":                                       "scheme",
		"http://:s3cret@host":                    "scheme",
		"redis://":                               "no host",
		"redis+magic://:s3cret@host:1":           "sentinel or cluster",
		"redis+sentinel://:s3cret@host:1":        "master_name",
		"redis://:s3cret@host:1?nonsense=s3cret": "nonsense",
		"redis://:s3cret@host:1/notanumber":      "notanumber",
		"redis://:s3cret@host:notaport":          "not a URL",
	} {
		client, err := Open(url)
		if err == nil {
			client.Close()
			t.Errorf("%s: no error", url)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || strings.Contains(text, "s3cret") {
			t.Errorf("%s: got %q, want %q in it and no password", url, text, want)
		}
	}
}
