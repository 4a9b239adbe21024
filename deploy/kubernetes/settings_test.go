package kubernetes

import (
	"os"
	"slices"
	"strings"
	"testing"

	"circles/gateway"
	"circles/pkg/settings"
	"circles/worker"
)

// TestSettings has the services read what each overlay gives them. Nothing is misspelt, and everything is valid but
// what the public overlay leaves to be filled in.
func TestSettings(t *testing.T) {
	read := map[string]struct {
		known    []settings.Setting
		validate func() error
	}{
		"gateway": {settings.Describe(gateway.Config{}), func() error { _, err := gateway.FromEnv(); return err }},
		"worker": {settings.Describe(worker.Config{}), func() error {
			var cfg worker.Config
			if err := settings.Load(&cfg); err != nil {
				return err
			}
			return cfg.Validate()
		}},
	}
	for _, folder := range folders(t) {
		s := gather(t, build(t, folder))
		for name, service := range read {
			t.Run(folder+"/"+name, func(t *testing.T) {
				for _, setting := range service.known {
					t.Setenv(setting.Name, "") // put back what was there when the test ends
					if err := os.Unsetenv(setting.Name); err != nil {
						t.Fatal(err)
					}
				}
				for variable, value := range environment(t, s, name) {
					if variable == "GOMEMLIMIT" {
						continue
					}
					if !slices.ContainsFunc(service.known, func(known settings.Setting) bool { return known.Name == variable }) {
						t.Errorf("the %s has no setting %s", name, variable)
					}
					t.Setenv(variable, value)
				}
				err := service.validate()
				if folder == "overlays/public" {
					if err == nil || !strings.Contains(err.Error(), "CIRCLE_KEYS") || strings.Contains(err.Error(), "\n") {
						t.Errorf("got %v, want a refusal to start before CIRCLE_KEYS is filled in, and no other", err)
					}
				} else if err != nil {
					t.Error(err)
				}
			})
		}
	}
}
