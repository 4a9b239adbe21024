package main

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"circles/pkg/rhai"
	"circles/pkg/rhai/syntax"
)

func dumpCommand() *cobra.Command {
	var tokens, tree, code bool
	cmd := &cobra.Command{
		Use:   "dump FILE",
		Short: "Show a script's tokens, syntax tree and code",
		Long:  "Show a script's tokens, syntax tree and code: those asked for, or all of them.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := read(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			all := !tokens && !tree && !code
			out := bufio.NewWriter(cmd.OutOrStdout())
			if tokens || all {
				for _, t := range syntax.Tokens(source, syntax.Options{}) {
					fmt.Fprintf(out, "%-8s %-12s %s\n", t.Pos, t.Kind, strconv.Quote(t.Text))
				}
			}
			program, err := rhai.New().Compile(source)
			if err != nil {
				if flushed := out.Flush(); flushed != nil {
					return flushed
				}
				return explain(cmd.ErrOrStderr(), args[0], source, err)
			}
			if tree || all {
				script, err := syntax.Parse(source, syntax.Options{})
				if err != nil {
					return err
				}
				writeTree(out, reflect.ValueOf(script), 0)
			}
			if code || all {
				if err := program.Dump(out); err != nil {
					return err
				}
			}
			return out.Flush()
		},
	}
	cmd.Flags().BoolVar(&tokens, "tokens", false, "show the tokens")
	cmd.Flags().BoolVar(&tree, "ast", false, "show the syntax tree")
	cmd.Flags().BoolVar(&code, "code", false, "show the code")
	return cmd
}

// writeTree writes a node with its position and, indented below it, its fields that are not empty.
func writeTree(w io.Writer, v reflect.Value, depth int) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	indent := strings.Repeat("  ", depth)
	switch {
	case v.Kind() == reflect.Slice:
		fmt.Fprintln(w)
		for i := range v.Len() {
			fmt.Fprint(w, indent)
			writeTree(w, v.Index(i), depth+1)
		}
	case v.Kind() == reflect.String:
		fmt.Fprintf(w, "%q\n", v.String())
	case v.Kind() != reflect.Struct:
		fmt.Fprintln(w, v.Interface())
	default:
		fmt.Fprint(w, v.Type().Name())
		if pos := v.FieldByName("Pos"); pos.IsValid() {
			fmt.Fprintf(w, " %v", pos.Interface())
		}
		fmt.Fprintln(w)
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Name == "Pos" || isEmpty(v.Field(i)) {
				continue
			}
			fmt.Fprintf(w, "%s%s: ", indent, field.Name)
			writeTree(w, v.Field(i), depth+1)
		}
	}
}

// isEmpty tells of a field that says nothing: no node, an empty list or text, false. A literal's value always says
// something.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice:
		return v.Len() == 0
	case reflect.Int64, reflect.Float64, reflect.Int32:
		return false
	}
	return v.IsZero()
}
