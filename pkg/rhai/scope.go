package rhai

import (
	"fmt"

	"circles/pkg/rhai/internal/vm"
)

// Scope is the variables of a run: those that the host gives, and afterwards those that the script left. A scope may be
// used for one run after another, by one goroutine at a time.
type Scope struct {
	vars []vm.Variable
}

// NewScope makes an empty scope.
func NewScope() *Scope { return &Scope{} }

// Set gives a variable a Go value (see ValueOf), or defines it.
func (s *Scope) Set(name string, v any) error { return s.set(name, v, false) }

// SetConstant defines a variable that the script can't change.
func (s *Scope) SetConstant(name string, v any) error { return s.set(name, v, true) }

func (s *Scope) set(name string, v any, constant bool) error {
	x, err := ValueOf(v)
	if err != nil {
		return fmt.Errorf("variable '%s': %w", name, err)
	}
	n := vm.Variable{Name: name, Value: x.Freeze(), Const: constant}
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].Name == name {
			s.vars[i] = n
			return nil
		}
	}
	s.vars = append(s.vars, n)
	return nil
}

// Get is the value of a variable.
func (s *Scope) Get(name string) (Value, bool) {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].Name == name {
			vm.Settle(s.vars[i : i+1])
			return s.vars[i].Value, true
		}
	}
	return Value{}, false
}

// Variable is a variable of a scope.
type Variable = vm.Variable

// Variables lists the variables, oldest first.
func (s *Scope) Variables() []Variable {
	vm.Settle(s.vars)
	return append([]Variable(nil), s.vars...)
}
