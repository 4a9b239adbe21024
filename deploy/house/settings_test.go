package house

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"circles/deploy/internal/compose"
	"circles/gateway"
	"circles/pkg/settings"
	"circles/worker"
)

// runtimeVariables are read by the Go runtime rather than by us.
var runtimeVariables = []string{"GOMEMLIMIT"}

// services are the settings of each service, by the service's name in docker-compose.yml.
func services() map[string][]settings.Setting {
	return map[string][]settings.Setting{
		"gateway": settings.Describe(gateway.Config{}),
		"worker":  settings.Describe(worker.Config{}),
	}
}

// grouped are the settings of both, then the gateway's own, then the worker's own.
func grouped() [][]settings.Setting {
	both := settings.Describe(settings.Common{})
	own := func(service string) []settings.Setting {
		return slices.DeleteFunc(services()[service], func(s settings.Setting) bool { return slices.Contains(both, s) })
	}
	return [][]settings.Setting{both, own("gateway"), own("worker")}
}

// TestReadmeSettings holds README's tables to the structs that the services read.
func TestReadmeSettings(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, s := range slices.Concat(grouped()...) {
		byDefault := "`" + s.Default + "`"
		switch {
		case s.Required:
			byDefault = "required"
		case s.Default == "":
			byDefault = "none"
		}
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", s.Name, s.Type, byDefault, s.Description))
	}
	got := regexp.MustCompile("(?m)^\\| `[A-Z_]+` \\|.*\\|$").FindAllString(string(text), -1)
	if !slices.Equal(got, want) {
		t.Errorf("README.md's settings tables are not what the services read; want the rows\n%s", strings.Join(want, "\n"))
	}
}

// TestExampleEnvironment holds .env.example to the settings and their defaults, and to what docker-compose.yml reads
// beyond them.
func TestExampleEnvironment(t *testing.T) {
	path := filepath.Join(root, "docker-compose.yml")
	variables, err := compose.Variables(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := compose.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, name := range variables {
		want[name] = ""
	}
	for _, s := range slices.Concat(grouped()...) {
		want[s.Name] = s.Default
		// Where docker-compose.yml has a default of its own for what it lets be set, that is the one.
		for _, service := range file.Services {
			if value := service.Environment[s.Name]; value != nil && slices.Contains(variables, s.Name) && s.Name != "GATEWAY_PORT" {
				want[s.Name] = *value
			}
		}
	}
	want["CIRCLES_VERSION"] = "dev"

	text, err := os.ReadFile(filepath.Join(root, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		got[match[1]] = match[2]
	}
	if !maps.Equal(got, want) {
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if value, ok := got[name]; !ok || value != want[name] {
				lines = append(lines, "#"+name+"="+want[name])
			}
		}
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if _, ok := want[name]; !ok {
				lines = append(lines, "no "+name)
			}
		}
		t.Errorf(".env.example is not what the services and docker-compose.yml read; want\n%s", strings.Join(lines, "\n"))
	}
}

// perReplica are settings that replicas can't share: each makes its own up.
var perReplica = []string{"WORKER_ID"}

// TestComposeSettings wants docker-compose.yml to set, or to pass on, every setting of a service and nothing else.
func TestComposeSettings(t *testing.T) {
	file, err := compose.Read(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range services() {
		var want []string
		for _, s := range list {
			want = append(want, s.Name)
		}
		got := slices.Collect(maps.Keys(file.Services[name].Environment))
		for _, variable := range got {
			if !slices.Contains(want, variable) && !slices.Contains(runtimeVariables, variable) {
				t.Errorf("docker-compose.yml sets %s for the %s, which knows no such setting", variable, name)
			}
		}
		for _, setting := range want {
			if !slices.Contains(got, setting) && !slices.Contains(perReplica, setting) {
				t.Errorf("docker-compose.yml neither sets %s for the %s nor passes it on (%s:)", setting, name, setting)
			}
		}
	}
}
