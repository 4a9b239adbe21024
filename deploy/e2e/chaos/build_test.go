package chaos

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// build makes the services. Arguments are the go command's, before the package.
func build(t *testing.T, flags ...string) binaries {
	t.Helper()
	folder := t.TempDir()
	bin := binaries{gateway: filepath.Join(folder, "gateway"), worker: filepath.Join(folder, "worker")}
	for binary, from := range map[string]string{bin.gateway: "circles/gateway/cmd/gateway", bin.worker: "circles/worker/cmd/worker"} {
		args := append(append([]string{"build"}, flags...), "-o", binary, from)
		if text, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, text)
		}
	}
	return bin
}
