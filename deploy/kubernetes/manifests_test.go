// Package kubernetes holds the manifests that run Circles on Kubernetes, and the tests that keep them true: every
// document decodes strictly against the typed API, every overlay builds, and what comes out agrees with itself, with
// the settings of the two services and with docker-compose.yml.
package kubernetes

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const kustomization = "kustomization.yaml"

// TestManifestsDecodeStrictly fails on an unknown kind, an unknown or repeated field, or a value of another type.
func TestManifestsDecodeStrictly(t *testing.T) {
	for _, path := range yamlFiles(t) {
		if filepath.Base(path) == kustomization {
			continue
		}
		t.Run(path, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if objects := decode(t, text); len(objects) == 0 {
				t.Error("got no documents, want at least one")
			}
		})
	}
}

// TestKustomizationsListTheirFiles fails on a manifest that no kustomization applies and on an unknown field in one.
func TestKustomizationsListTheirFiles(t *testing.T) {
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, kustomization))
			if err != nil {
				t.Fatal(err)
			}
			var k types.Kustomization
			if err := k.Unmarshal(text); err != nil {
				t.Fatal(err)
			}
			var listed []string
			for _, resource := range k.Resources {
				if strings.HasSuffix(resource, ".yaml") {
					listed = append(listed, resource)
				}
			}
			for _, patch := range k.Patches {
				if patch.Path != "" {
					listed = append(listed, patch.Path)
				}
			}
			var present []string
			for _, path := range yamlFiles(t) {
				if filepath.Dir(path) == folder && filepath.Base(path) != kustomization {
					present = append(present, filepath.Base(path))
				}
			}
			slices.Sort(listed)
			slices.Sort(present)
			if !slices.Equal(listed, present) {
				t.Errorf("got %v listed, want the folder's files %v", listed, present)
			}
		})
	}
}

// yamlFiles returns the YAML files below this folder.
func yamlFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// folders returns the base and the overlays.
func folders(t *testing.T) []string {
	t.Helper()
	var folders []string
	for _, path := range yamlFiles(t) {
		if filepath.Base(path) == kustomization {
			folders = append(folders, filepath.Dir(path))
		}
	}
	if len(folders) == 0 {
		t.Fatal("got no kustomization, want the base and its overlays")
	}
	return folders
}

// decode decodes every document of a manifest strictly.
func decode(t *testing.T, manifest []byte) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme,
		json.SerializerOptions{Yaml: true, Strict: true})

	var objects []runtime.Object
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(manifest)))
	defer func() { _ = documents.Close() }()
	buffer := make([]byte, len(manifest)+1)
	for {
		n, err := documents.Read(buffer)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		document := bytes.Clone(buffer[:n])
		object, kind, err := strict.Decode(document, nil, nil)
		if err != nil {
			t.Errorf("%v: %v\n%s", kind, err, document)
			continue
		}
		objects = append(objects, object)
	}
}

// build runs kustomize over a folder, as `kubectl apply -k` does, and decodes what comes out.
func build(t *testing.T, folder string) []runtime.Object {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}
