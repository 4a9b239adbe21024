package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"circles/launcher/launch"
	"circles/pkg/circle"
	"circles/pkg/settings"
)

// flags are the command line as it was given. A problem that pflag would stop
// at is kept instead, so that all of them are reported at once.
type flags struct {
	set *pflag.FlagSet

	port       string
	host       string
	publicKeys []string // -k
	keyList    string   // --public-keys
	redisURL   string
	enableAuth bool
	enableTLS  bool
	cert, key  string
	debug      bool
	verbose    int
	dev        bool
	help       bool
	version    bool
}

func newFlags() *flags {
	f := &flags{set: pflag.NewFlagSet("launcher", pflag.ContinueOnError)}
	f.set.SortFlags = false
	f.set.SetOutput(io.Discard)
	f.set.Usage = func() {}
	f.set.StringVarP(&f.port, "port", "p", "8080", "`port` to listen on; 0 is any free one")
	f.set.StringVar(&f.host, "host", "127.0.0.1", "`address` to listen on; 0.0.0.0 is every one")
	f.set.StringArrayVarP(&f.publicKeys, "public-key", "k", nil, "public `key` of a circle to serve; may be repeated")
	f.set.StringVar(&f.keyList, "public-keys", "", "`keys` of circles to serve, comma-separated")
	f.set.StringVar(&f.redisURL, "redis-url", "redis://127.0.0.1:6379", "`URL` of Redis")
	f.set.BoolVar(&f.enableAuth, "enable-auth", false, "only keys that a circle admits may play")
	f.set.BoolVar(&f.enableTLS, "enable-tls", false, "serve wss and https; needs --cert and --key")
	f.set.StringVar(&f.cert, "cert", "", "`file` of the TLS certificate chain")
	f.set.StringVar(&f.key, "key", "", "`file` of the TLS certificate's private key")
	f.set.BoolVarP(&f.debug, "debug", "d", false, "log everything, and where in the source")
	f.set.CountVarP(&f.verbose, "verbose", "v", "log what happens; -vv in detail")
	f.set.BoolVar(&f.dev, "dev", false, "need nothing else: embedded Redis in memory, and a key pair when no key is given")
	f.set.BoolVarP(&f.help, "help", "h", false, "print this")
	f.set.BoolVar(&f.version, "version", false, "print the version")
	return f
}

// parseFlags reads the command line. The flags are usable also when there is an
// error, which lists everything that pflag objects to.
func parseFlags(args []string) (*flags, error) {
	var problems []error
	for {
		f := newFlags()
		err := f.set.Parse(args)
		if err == nil || f.help {
			return f, errors.Join(problems...)
		}
		problems = append(problems, err)
		rest, found := without(args, err)
		if !found {
			return f, errors.Join(problems...)
		}
		args = rest
	}
}

// without takes out of the command line the flag that pflag stopped at, so that
// the rest can be looked at.
func without(args []string, err error) ([]string, bool) {
	var (
		unknown *pflag.NotExistError
		valued  *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
		name    string
	)
	switch {
	case errors.As(err, &unknown):
		name = cmp.Or(unknown.GetSpecifiedShortnames(), unknown.GetSpecifiedName())
	case errors.As(err, &valued):
		name = cmp.Or(valued.GetSpecifiedShortnames(), valued.GetSpecifiedName())
	case errors.As(err, &invalid):
		name = invalid.GetFlag().Name
	case errors.As(err, &syntax):
		i := slices.Index(args, syntax.GetSpecifiedFlag())
		if i < 0 {
			return nil, false
		}
		return slices.Delete(slices.Clone(args), i, i+1), true
	}
	i := slices.IndexFunc(args, func(arg string) bool {
		given, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && given == name
	})
	if i < 0 || name == "" {
		return nil, false
	}
	end := i + 1
	// What follows an unknown flag is its value, as far as anyone can tell.
	if unknown != nil && end < len(args) && !strings.HasPrefix(args[end], "-") && !strings.Contains(args[i], "=") {
		end++
	}
	return slices.Delete(slices.Clone(args), i, end), true
}

// config makes the settings: what a flag says, else what the environment says
// under the names that gateway and worker use, else the default. The error lists
// everything that is wrong.
func (f *flags) config() (launch.Config, error) {
	var config launch.Config
	var problems []error
	fail := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	problems = append(problems, fromEnvironment(&config.Gateway), fromEnvironment(&config.Worker))
	gateway := &config.Gateway
	config.Dev = f.dev

	// decides tells whether the flag counts, or the environment.
	decides := func(name, variable string) bool { return f.set.Changed(name) || os.Getenv(variable) == "" }
	if decides("port", "GATEWAY_PORT") {
		port, err := strconv.Atoi(f.port)
		if err != nil || port < 0 || port > 65535 {
			fail("--port: got %q, want a number from 0 to 65535", f.port)
		}
		gateway.Port = port
	}
	if decides("host", "GATEWAY_HOST") {
		gateway.Host = f.host
	}
	if decides("redis-url", "REDIS_URL") {
		gateway.RedisURL = f.redisURL
	}
	if decides("enable-auth", "ENABLE_AUTH") {
		gateway.EnableAuth = f.enableAuth
	}
	if f.dev && f.set.Changed("redis-url") {
		fail("--dev brings a Redis of its own: leave out --redis-url, or --dev")
	}

	keys := slices.Clone(f.publicKeys)
	if f.keyList != "" {
		keys = append(keys, strings.Split(f.keyList, ",")...)
	}
	if len(keys) > 0 {
		gateway.CircleKeys = keys
	}
	if len(gateway.CircleKeys) == 0 && !f.dev {
		fail("no circle to serve: give the public key of one by -k, or let --dev make one")
	}
	_, err := circle.ParseList(gateway.CircleKeys)
	problems = append(problems, unjoin(err)...)

	switch {
	case f.enableTLS:
		gateway.TLSCert = cmp.Or(f.cert, gateway.TLSCert)
		gateway.TLSKey = cmp.Or(f.key, gateway.TLSKey)
		if gateway.TLSCert == "" {
			fail("--enable-tls needs --cert, the file of the certificate chain")
		}
		if gateway.TLSKey == "" {
			fail("--enable-tls needs --key, the file of the certificate's private key")
		}
	case f.cert != "":
		fail("--cert is for --enable-tls, which is not given")
	case f.key != "":
		fail("--key is for --enable-tls, which is not given; a circle's public key goes with -k")
	}
	for _, arg := range f.set.Args() {
		fail("got %q, want flags only", arg)
	}

	switch {
	case f.debug || f.verbose > 1:
		gateway.LogLevel = slog.LevelDebug
	case f.verbose == 1:
		gateway.LogLevel = slog.LevelInfo
	case os.Getenv("LOG_LEVEL") == "":
		gateway.LogLevel = slog.LevelWarn
	}
	for _, err := range unjoin(config.Validate()) {
		if !aboutCircles(err) {
			problems = append(problems, err)
		}
	}
	return config, errors.Join(problems...)
}

// aboutCircles reports whether a problem is one of those with the circles, which
// are reported in the words of the flags.
func aboutCircles(err error) bool {
	setting, isSetting := errors.AsType[*settings.Error](err)
	_, isKey := errors.AsType[*circle.KeyError](err)
	return isKey || isSetting && setting.Name == "CIRCLE_KEYS"
}

// fromEnvironment reads settings; that no circles are among them is no problem.
func fromEnvironment(config any) error {
	var problems []error
	for _, err := range unjoin(settings.Load(config)) {
		if !aboutCircles(err) {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// unjoin takes joined errors apart.
func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, part := range joined.Unwrap() {
		all = append(all, unjoin(part)...)
	}
	return all
}

// logger writes to the terminal: records are text, unless LOG_FORMAT says
// otherwise.
func (f *flags) logger(w io.Writer, config launch.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: config.Gateway.LogLevel, AddSource: f.debug}
	if os.Getenv("LOG_FORMAT") == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func (f *flags) usage(w io.Writer) {
	_, _ = fmt.Fprintf(w, `usage: launcher [flags]

Runs the gateway and one worker for each circle, in one process.

  go run ./launcher --dev                        needs nothing else
  go run ./launcher -k <key> -k <key>            needs Redis

Flags:
%s
Other settings come from the environment, under the names that gateway and
worker print with --help. A flag counts more than the environment.
`, f.set.FlagUsages())
}
