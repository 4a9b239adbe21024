// Command record asks the reference implementation for the answers of the conformance corpus and writes them into its
// files. It needs cargo. Without arguments it records all of rhai/testdata; run it in the folder of the module.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"circles/pkg/rhai/internal/corpus"
	"circles/pkg/rhai/internal/lines"
)

const testdata = "rhai/testdata"

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func run(args []string, log io.Writer) error {
	paths := args
	if len(paths) == 0 {
		var err error
		if paths, err = filepath.Glob(filepath.Join(testdata, "*.rhai")); err != nil {
			return err
		}
	}
	var files []*corpus.File
	var chunks []*corpus.Chunk
	for _, path := range paths {
		file, err := corpus.Read(path)
		if err != nil {
			return err
		}
		files = append(files, file)
		for _, chunk := range file.Chunks {
			if chunk.Differs == "" {
				chunks = append(chunks, chunk)
			}
		}
	}
	err := ask(chunks, log) // what was answered before an error is kept
	for _, file := range files {
		err = errors.Join(err, os.WriteFile(file.Path, []byte(file.Text()), 0o644))
	}
	if len(args) == 0 {
		metadata, failed := oracle(log, "metadata").Output()
		if failed == nil {
			failed = writeSignatures(filepath.Join(testdata, "signatures.txt"), metadata)
		}
		err = errors.Join(err, failed)
	}
	fmt.Fprintf(log, "asked for %d chunks in %d files\n", len(chunks), len(files))
	return err
}

// oracle is the reference as a program, built when it is not.
func oracle(log io.Writer, command string) *exec.Cmd {
	manifest := filepath.Join(testdata, "oracle", "Cargo.toml")
	cmd := exec.Command("cargo", "run", "--release", "--quiet", "--locked", "--manifest-path", manifest, "--", command)
	cmd.Stderr = log
	return cmd
}

// ask puts all chunks to one oracle and keeps its answers in them.
func ask(chunks []*corpus.Chunk, log io.Writer) error {
	program := oracle(log, "batch")
	in, err := program.StdinPipe()
	if err != nil {
		return err
	}
	out, err := program.StdoutPipe()
	if err != nil {
		return err
	}
	if err := program.Start(); err != nil {
		return fmt.Errorf("start the oracle: %w", err)
	}
	err = converse(chunks, in, bufio.NewReader(out))
	return errors.Join(err, in.Close(), program.Wait())
}

func converse(chunks []*corpus.Chunk, in io.Writer, out *bufio.Reader) error {
	var failures []error
	questions := json.NewEncoder(in)
	for i, chunk := range chunks {
		question := chunk.Ask
		question.ID = json.RawMessage(strconv.Itoa(i))
		if err := questions.Encode(question); err != nil {
			return err
		}
		line, err := out.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("%s: the oracle gave no answer: %w", chunk.Name, err)
		}
		var answer lines.Answer
		if err := json.Unmarshal(line, &answer); err != nil {
			return fmt.Errorf("%s: the oracle answered %q: %w", chunk.Name, line, err)
		}
		switch answer.ErrorKind {
		case lines.KindTimeout, lines.KindBadLine, "Crash", "Panic":
			failures = append(failures, fmt.Errorf("line %d, %s: %s: %s; give our own answer under '+++ differs'",
				chunk.Line, chunk.Name, answer.ErrorKind, answer.Error))
			continue
		}
		chunk.Answer = corpus.Lines(answer)
	}
	return errors.Join(failures...)
}
