package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// process is the reference: a program that measures itself (see reference/src/main.rs).
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

type question struct {
	Bytecode bool   `json:"bytecode"`
	Task     string `json:"task"`
	Script   string `json:"script"`
	Times    int    `json:"times"`
}

type answer struct {
	Nanos     int64  `json:"nanos"`
	Bytes     int64  `json:"bytes"`
	ValueSize int64  `json:"value_size"`
	Result    string `json:"result"`
	Error     string `json:"error"`
}

func startReference(path string) (*process, error) {
	command := exec.Command(path)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("the reference: %w", err)
	}
	return &process{command, in, bufio.NewReader(out)}, nil
}

// close ends the process, which stops when there are no more questions.
func (p *process) close() {
	p.in.Close()
	p.command.Wait()
}

func (p *process) ask(q question) (answer, error) {
	line, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return answer{}, fmt.Errorf("the reference: %w", err)
	}
	if line, err = p.out.ReadBytes('\n'); err != nil {
		return answer{}, fmt.Errorf("the reference: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return a, fmt.Errorf("the reference: %w", err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("the reference: %w", errors.New(a.Error))
	}
	return a, nil
}

func (p *process) job(bytecode bool, r row, source string) job {
	return func(times int) (time.Duration, string, error) {
		a, err := p.ask(question{bytecode, string(r.task), source, times})
		return time.Duration(a.Nanos), a.Result, err
	}
}

// evaluator is the reference's evaluator, which walks the tree.
type evaluator struct{ *process }

func (evaluator) name() string   { return "reference" }
func (evaluator) ending() string { return ".rhai" }
func (e evaluator) prepare(r row, source string) (job, error) {
	return e.job(false, r, source), nil
}

// bytecode is the reference's bytecode machine.
type bytecode struct{ *process }

func (bytecode) name() string   { return "its bytecode" }
func (bytecode) ending() string { return ".rhai" }
func (e bytecode) prepare(r row, source string) (job, error) {
	if r.task == taskStart {
		return nil, nil // the engine is the same
	}
	return e.job(true, r, source), nil
}
