package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"circles/pkg/circle"
)

func (c *command) keygen() *cobra.Command {
	var (
		out   string
		force bool
	)
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key pair",
		Long: `Make a key pair.

Without --out both keys are printed. With it the private key goes into a file
that only you can read, and only the public key is printed.`,
		Args: exactly(0, "none"),
		RunE: func(*cobra.Command, []string) error {
			secret, err := circle.GenerateSecret()
			if err != nil {
				return err
			}
			shown := map[string]string{"public_key": secret.Public().String()}
			if out == "" {
				shown["private_key"] = secret.Reveal()
			} else if err := writeKeyFile(out, secret, force); err != nil {
				return err
			}
			if c.json {
				return c.printJSON(shown)
			}
			if out != "" {
				_, _ = fmt.Fprintf(c.stderr, "wrote the private key to %s\n", out)
				_, _ = fmt.Fprintln(c.stdout, secret.Public())
				return nil
			}
			_, _ = fmt.Fprintf(c.stdout, "public key   %s\nprivate key  %s\n", secret.Public(), secret.Reveal())
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file for the private key")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file when there is one: the key in it is lost")
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON, errors included")
	return cmd
}

// writeKeyFile writes a file that only its owner can read. It appears whole or
// not at all: a key may exist in one place only.
func writeKeyFile(name string, secret circle.Secret, force bool) (err error) {
	target := name
	if force {
		target = name + ".new"
	}
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return usagef("%s is there already; give another name, or --force to lose the key in it", target)
	}
	if err != nil {
		return usagef("write the private key: %v", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(target)
			err = usagef("write the private key: %v", err)
		}
	}()
	_, err = fmt.Fprintln(file, secret.Reveal())
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil && force {
		err = os.Rename(target, name)
	}
	return err
}
