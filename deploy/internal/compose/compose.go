// Package compose reads the parts of docker-compose.yml that the tests of this module compare with other files.
package compose

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"

	"sigs.k8s.io/yaml"
)

// File is a compose file, with its variables replaced by their defaults.
type File struct {
	Services map[string]Service `json:"services"`
}

// Service is one service of a compose file.
type Service struct {
	Image       string             `json:"image"`
	Command     []string           `json:"command"`
	Environment map[string]*string `json:"environment"` // nil: passed on when the environment has it
	Scale       int                `json:"scale"`
}

// variable is ${NAME} or ${NAME:-default}.
var variable = regexp.MustCompile(`\$\{([A-Z_]+)(?::-([^}]*))?\}`)

// Read reads the compose file at path.
func Read(path string) (File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, err
	}
	var file File
	if err := yaml.Unmarshal(variable.ReplaceAll(text, []byte("$2")), &file); err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// Variables returns the names of the variables that the compose file at path takes from the environment.
func Variables(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := Read(path)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, match := range variable.FindAllSubmatch(text, -1) {
		names[string(match[1])] = true
	}
	for _, service := range file.Services {
		for name, value := range service.Environment {
			if value == nil {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}
