package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/client"
)

// maxKeyBytes bounds what is read as a private key.
const maxKeyBytes = 4 << 10

// connectFlags are the flags of every command that talks to a gateway.
func (c *command) connectFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.url, "url", "", "the circle: ws://host:port/<circle key> (default: CIRCLE_URL)")
	flags.StringVar(&c.keyFile, "key-file", "", "file with your private key, - for standard input (default: CIRCLE_SECRET_KEY)")
	flags.StringVar(&c.caFile, "ca", "", "file with the certificate authority (PEM) to trust for wss, instead of the system's")
	flags.BoolVar(&c.json, "json", false, "print JSON, errors included")
}

// connect dials the circle, and authenticates when there is a private key.
func (c *command) connect(ctx context.Context) (*client.Client, error) {
	url := c.url
	if url == "" {
		url = c.getenv("CIRCLE_URL")
	}
	if url == "" {
		return nil, usagef("got no circle, want --url ws://host:port/<circle key> or CIRCLE_URL")
	}
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	options, err := c.trust()
	if err != nil {
		return nil, err
	}
	dialled, err := client.Dial(ctx, url, options...)
	if err != nil {
		return nil, err
	}
	if !secret.IsZero() {
		if _, err := dialled.Authenticate(ctx, secret); err != nil {
			_ = dialled.Close()
			return nil, err
		}
	}
	return dialled, nil
}

// isAuth reports whether the client refused to sign.
func isAuth(err error) bool {
	_, mismatch := errors.AsType[*auth.MismatchError](err)
	_, noChallenge := errors.AsType[*auth.ChallengeError](err)
	return mismatch || noChallenge || errors.Is(err, auth.ErrExpired)
}

var looksLikeKey = regexp.MustCompile(`^(0[xX])?[0-9a-fA-F]{64}$`)

// secret reads the private key; the zero Secret when none was given.
func (c *command) secret() (circle.Secret, error) {
	var (
		text  string
		where = "CIRCLE_SECRET_KEY"
	)
	switch {
	case looksLikeKey.MatchString(c.keyFile):
		return circle.Secret{}, usagef("got a private key as the value of --key-file, want the name of a file that holds it; " +
			"the key may now be in your shell's history")
	case c.keyFile == "-":
		where = "standard input"
		data, err := io.ReadAll(io.LimitReader(c.stdin, maxKeyBytes))
		if err != nil {
			return circle.Secret{}, usagef("read the private key from standard input: %v", err)
		}
		text = string(data)
	case c.keyFile != "":
		where = c.keyFile
		data, err := c.readKeyFile()
		if err != nil {
			return circle.Secret{}, usagef("read the private key: %v", err)
		}
		text = string(data)
	default:
		text = c.getenv("CIRCLE_SECRET_KEY")
		if text == "" {
			return circle.Secret{}, nil
		}
	}
	secret, err := circle.ParseSecret(strings.TrimSpace(text))
	if err != nil {
		return circle.Secret{}, usagef("the private key in %s: %v", where, err)
	}
	return secret, nil
}

func (c *command) readKeyFile() ([]byte, error) {
	file, err := os.Open(c.keyFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		_, _ = fmt.Fprintf(c.stderr, "circle: warning: others on this machine can read %s: chmod 600 it\n", c.keyFile)
	}
	return io.ReadAll(io.LimitReader(file, maxKeyBytes))
}

// trust makes the options for the authority in caFile.
func (c *command) trust() ([]client.Option, error) {
	if c.caFile == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.caFile)
	if err != nil {
		return nil, usagef("read the certificate authority: %v", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(data) {
		return nil, usagef("got no certificate in %s, want one or more in PEM", c.caFile)
	}
	return []client.Option{client.WithTLS(&tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12})}, nil
}

// onCircle runs a command that takes no arguments on a connection of its own.
func (c *command) onCircle(run func(context.Context, *client.Client) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		dialled, err := c.connect(cmd.Context())
		if err != nil {
			return err
		}
		defer func() { _ = dialled.Close() }()
		return run(cmd.Context(), dialled)
	}
}

func (c *command) whoami() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Print who the gateway takes you for",
		Args:  exactly(0, "none"),
		RunE: c.onCircle(func(ctx context.Context, dialled *client.Client) error {
			who, err := dialled.Whoami(ctx)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]any{
					"circle": who.Circle.String(), "authenticated": who.Authenticated,
					"pubkey": who.Key.String(), "role": who.Role,
				})
			}
			role := string(who.Role)
			if role == "" {
				role = "none: this gateway wants you to authenticate"
			}
			_, _ = fmt.Fprintf(c.stdout, "circle  %s\nrole    %s\n", who.Circle, role)
			if who.Authenticated {
				_, _ = fmt.Fprintf(c.stdout, "key     %s\n", who.Key)
			}
			return nil
		}),
	}
	c.connectFlags(cmd)
	return cmd
}

func (c *command) ping() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ping",
		Short: "Measure the way to the gateway and back",
		Args:  exactly(0, "none"),
		RunE: c.onCircle(func(ctx context.Context, dialled *client.Client) error {
			took, err := dialled.Ping(ctx)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]any{"round_trip_us": took.Microseconds()})
			}
			_, _ = fmt.Fprintf(c.stdout, "the gateway answered in %s\n", took.Round(time.Microsecond))
			return nil
		}),
	}
	c.connectFlags(cmd)
	return cmd
}
