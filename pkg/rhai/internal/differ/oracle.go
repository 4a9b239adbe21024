package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"circles/pkg/rhai/batch"
)

// oracle is the reference as a running program. It answers in the order of the questions.
type oracle struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startOracle() (*oracle, error) {
	manifest := filepath.Join("rhai", "testdata", "oracle", "Cargo.toml")
	o := &oracle{process: exec.Command("cargo", "run", "--release", "--quiet", "--locked", "--manifest-path", manifest,
		"--", "--timeout-ms", "2000")}
	o.process.Stderr = os.Stderr
	var err error
	if o.in, err = o.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewReaderSize(out, 1<<20)
	if err := o.process.Start(); err != nil {
		return nil, fmt.Errorf("start the oracle: %w", err)
	}
	return o, nil
}

// ask sends questions. It blocks while the oracle has many answers that nobody has read.
func (o *oracle) ask(questions []batch.Question) error {
	w := bufio.NewWriterSize(o.in, 1<<16)
	encoder := json.NewEncoder(w)
	for _, q := range questions {
		if err := encoder.Encode(q); err != nil {
			return fmt.Errorf("ask the oracle: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("ask the oracle: %w", err)
	}
	return nil
}

// answer reads the answer to the oldest question that has none yet.
func (o *oracle) answer() (a batch.Answer, err error) {
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("the oracle gave no answer: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, fmt.Errorf("the oracle answered %q: %w", line, err)
	}
	return a, nil
}

func (o *oracle) stop() error {
	if err := o.in.Close(); err != nil {
		return err
	}
	return o.process.Wait()
}
