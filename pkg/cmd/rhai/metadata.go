package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"circles/pkg/rhai"
)

func metadataCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "metadata [FILE]",
		Short: "Describe a script's functions, or the standard library, as JSON",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := metadata(cmd, args)
			if err != nil {
				return err
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			out.SetEscapeHTML(false)
			return out.Encode(m)
		},
	}
}

func definitionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "definitions [FILE]",
		Short: "Describe a script's functions, or the standard library, as a .d.rhai file for editors",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := metadata(cmd, args)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), m.Definitions())
			return err
		},
	}
}

// metadata is that of the script that is named, or of the standard library.
func metadata(cmd *cobra.Command, args []string) (*rhai.Metadata, error) {
	engine := rhai.New()
	if len(args) == 0 {
		return engine.Metadata(true), nil
	}
	source, err := read(args[0], cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	program, err := engine.Compile(source)
	if err != nil {
		return nil, explain(cmd.ErrOrStderr(), args[0], source, err)
	}
	return program.Metadata(), nil
}
