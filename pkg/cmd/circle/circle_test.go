package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// run is one command line and what came of it.
type run struct {
	code           int
	stdout, stderr string
}

func execute(t *testing.T, env map[string]string, stdin string, args ...string) run {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := Run(ctx, args, func(name string) string { return env[name] }, strings.NewReader(stdin), &stdout, &stderr)
	return run{code, stdout.String(), stderr.String()}
}

// serve starts a WebSocket server that speaks as much of the protocol as the
// command uses, and answers each script as the test says. The gateway proper is
// tested with this command in launcher and deploy.
func serve(t *testing.T, secret circle.Secret, play func(protocol.PlayParams) (any, *protocol.Error)) (url string) {
	t.Helper()
	var server *httptest.Server
	answer := func(request protocol.Request, challenge *string) (any, *protocol.Error) {
		switch request.Method {
		case protocol.MethodFetchNonce:
			*challenge = auth.Challenge{
				Audience: strings.TrimPrefix(server.URL, "http://"), Circle: secret.Public(), Signer: secret.Public(),
				Nonce: strings.Repeat("5a", auth.NonceLen/2), Expires: time.Now().Add(time.Minute),
			}.Text()
			return protocol.FetchNonceResult{Challenge: *challenge}, nil
		case protocol.MethodAuthenticate:
			var params protocol.AuthenticateParams
			if err := protocol.DecodeParams(request.Params, &params); err != nil {
				return nil, err
			}
			if auth.Verify(params.Scheme, secret.Public(), *challenge, params.Signature) != nil {
				return nil, protocol.Errorf(protocol.CodeAuthFailed, "authentication failed")
			}
			return protocol.AuthenticateResult{Authenticated: true, PubKey: secret.Public(), Role: protocol.RoleOwner}, nil
		case protocol.MethodWhoami:
			return protocol.WhoamiResult{Circle: secret.Public()}, nil
		case protocol.MethodPlay:
			var params protocol.PlayParams
			if err := protocol.DecodeParams(request.Params, &params); err != nil {
				return nil, err
			}
			return play(params)
		}
		return nil, protocol.Errorf(protocol.CodeMethodNotFound, "method not found")
	}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+secret.Public().String() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		var challenge string
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			request := protocol.DecodeFrame(data, 1).Entries[0].Request
			got, failure := answer(request, &challenge)
			response := protocol.Response{ID: request.ID, Error: failure}
			if failure == nil {
				response = protocol.Result(request.ID, got)
			}
			if ws.Write(context.Background(), websocket.MessageText, response.AppendJSON(nil)) != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http") + "/" + secret.Public().String()
}

func newSecret(t *testing.T) circle.Secret {
	t.Helper()
	secret, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

// echo answers with the script and its args.
func echo(params protocol.PlayParams) (any, *protocol.Error) {
	value, err := json.Marshal(params)
	if err != nil {
		return nil, protocol.Errorf(protocol.CodeInternal, "internal error")
	}
	return protocol.PlayResult{PlayID: "p", Output: params.Script, Value: value, ElapsedUS: 1}, nil
}

func TestPlayTakesTheScriptFromAnywhere(t *testing.T) {
	url := serve(t, newSecret(t), echo)
	file := write(t, "script.rhai", "from a file", 0o600)
	env := map[string]string{"CIRCLE_URL": url}
	for want, args := range map[string][]string{
		"from a file": {"play", file},
		"inline":      {"play", "-e", "inline"},
		"from stdin":  {"play", "-"},
	} {
		got := execute(t, env, "from stdin", args...)
		if got.code != exitDone || got.stdout != want+"\n" || got.stderr != "" {
			t.Errorf("%q: got %+v, want %q", args, got, want)
		}
	}
}

func TestPlayPassesItsFlags(t *testing.T) {
	url := serve(t, newSecret(t), echo)
	got := execute(t, nil, "", "play", "--url", url, "-e", "1", "--args", `{"n": 9007199254740993}`,
		"--timeout", "2s", "--idempotency-key", "k", "--json")
	var printed struct {
		PlayID    string              `json:"play_id"`
		Output    string              `json:"output"`
		Value     protocol.PlayParams `json:"value"`
		ElapsedUS int64               `json:"elapsed_us"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &printed); err != nil || got.code != exitDone {
		t.Fatalf("got %+v, want JSON", got)
	}
	if sent := printed.Value; string(sent.Args) != `{"n":9007199254740993}` || sent.TimeoutMS != 2000 || sent.IdempotencyKey != "k" {
		t.Errorf("gateway got %+v, want the args, 2000 ms and key k", sent)
	}
	if printed.PlayID != "p" || printed.ElapsedUS != 1 {
		t.Errorf("got %+v, want play p after 1 µs", printed)
	}
}

func TestScriptErrorsShowThePlace(t *testing.T) {
	url := serve(t, newSecret(t), func(protocol.PlayParams) (any, *protocol.Error) {
		return nil, protocol.Errorf(protocol.CodeScript, "the script failed").WithData(protocol.ScriptErrorData{
			Kind: "ErrorVariableNotFound", Message: "Variable not found: y", Line: 2, Column: 10, Trace: []string{"f @ 3:1"},
		})
	})
	file := write(t, "broken.rhai", "let x = 1;\n\tlet z = y + x;\n", 0o600)
	got := execute(t, nil, "", "play", "--url", url, file)
	want := file + ":2:10: Variable not found: y\n    \tlet z = y + x;\n    \t        ^\n  in f @ 3:1\n"
	if got.code != exitScript || got.stderr != want || got.stdout != "" {
		t.Errorf("got %d and\n%s\nwant\n%s", got.code, got.stderr, want)
	}
	got = execute(t, nil, "", "play", "--url", url, file, "--json")
	var printed struct {
		Error struct {
			Kind string                   `json:"kind"`
			Code protocol.Code            `json:"code"`
			Data protocol.ScriptErrorData `json:"data"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &printed); err != nil || got.code != exitScript ||
		printed.Error.Kind != "script" || printed.Error.Data.Line != 2 {
		t.Errorf("got %+v, want the error as JSON", got)
	}
}

func TestExitCodes(t *testing.T) {
	answers := map[string]*protocol.Error{
		"timeout": protocol.Errorf(protocol.CodeTimeout, "the script timed out"),
		"limit":   protocol.Errorf(protocol.CodeLimit, "the script hit a limit").WithData(protocol.LimitData{Limit: "operations"}),
		"auth":    protocol.Errorf(protocol.CodeAuthRequired, "authentication required"),
		"unknown": protocol.Errorf(protocol.CodeTimeout, "timed out without an answer").WithData(protocol.TimeoutData{Effect: protocol.EffectUnknown}),
		"busy":    protocol.Errorf(protocol.CodeBusy, "busy").WithData(protocol.RetryData{RetryAfterMS: 1500}),
		"expired": protocol.Errorf(protocol.CodeExpired, "no worker took the play in time"),
		"broken":  protocol.Errorf(protocol.CodeInternal, "internal error"),
	}
	secret := newSecret(t)
	url := serve(t, secret, func(params protocol.PlayParams) (any, *protocol.Error) { return nil, answers[params.Script] })
	play := func(script string) []string { return []string{"play", "--url", url, "-e", script} }
	elsewhere := strings.Replace(url, secret.Public().String(), newSecret(t).Public().String(), 1)
	private := newSecret(t).Reveal()
	readable := write(t, "readable.key", secret.Reveal()+"\n", 0o644)
	cases := []struct {
		name  string
		args  []string
		env   map[string]string
		stdin string
		code  int
		want  string // in what is printed on stderr
	}{
		{name: "timeout", args: play("timeout"), code: exitScript, want: "<script>: the script timed out"},
		{name: "limit", args: play("limit"), code: exitScript, want: "the script hit a limit (operations)"},
		{name: "unknown outcome", args: play("unknown"), code: exitUnknown, want: "timed out without an answer"},
		{name: "unknown outcome with a key", args: append(play("unknown"), "--idempotency-key", "k"), code: exitUnknown, want: "play again with the same"},
		{name: "auth required", args: play("auth"), code: exitAuth, want: "--key-file"},
		{name: "busy", args: play("busy"), code: exitBusy, want: "try again in 1.5s"},
		{name: "expired", args: play("expired"), code: exitBusy, want: "is a worker running"},
		{name: "internal", args: play("broken"), code: exitGateway, want: "internal error"},
		{name: "unknown circle", args: []string{"ping", "--url", elsewhere}, code: exitConnection, want: "circle not found"},
		{name: "no URL", args: []string{"ping"}, code: exitUsage, want: "CIRCLE_URL"},
		{name: "bad URL", args: []string{"ping", "--url", "nowhere"}, code: exitConnection, want: "want ws or wss"},
		{name: "unknown command", args: []string{"dance"}, code: exitUsage, want: `unknown command "dance"`},
		{name: "unknown flag", args: []string{"play", "--secret", private}, code: exitUsage, want: "unknown flag: --secret"},
		{name: "no script", args: []string{"play"}, code: exitUsage, want: "want one"},
		{name: "two scripts", args: []string{"play", "-e", "1", "x.rhai"}, code: exitUsage, want: "want one script"},
		{name: "no such file", args: []string{"play", "none.rhai"}, code: exitUsage, want: "none.rhai"},
		{name: "too many arguments", args: []string{"ping", "x"}, code: exitUsage, want: "want none"},
		{name: "bad args", args: append(play("1"), "--args", "{"), code: exitUsage, want: "not JSON"},
		{name: "bad timeout", args: append(play("1"), "--timeout", "0s"), code: exitUsage, want: "at least 1ms"},
		{name: "stdin twice", args: []string{"play", "-", "--key-file", "-"}, code: exitUsage, want: "both the script and the private key"},
		{name: "key as a value", args: []string{"whoami", "--url", url, "--key-file", private}, code: exitUsage, want: "shell's history"},
		{name: "bad key", args: []string{"whoami", "--url", url}, env: map[string]string{"CIRCLE_SECRET_KEY": private[1:]}, code: exitUsage, want: "CIRCLE_SECRET_KEY"},
		{name: "another's key", args: []string{"whoami", "--url", url}, env: map[string]string{"CIRCLE_SECRET_KEY": private}, code: exitAuth, want: "names the signer"},
		{name: "key from stdin", args: []string{"whoami", "--url", url, "--key-file", "-"}, stdin: secret.Reveal() + "\n"},
		{name: "key from the environment", args: []string{"whoami", "--url", url}, env: map[string]string{"CIRCLE_SECRET_KEY": secret.Reveal()}},
		{name: "key that others can read", args: []string{"whoami", "--url", url, "--key-file", readable}, want: "chmod 600"},
		{name: "no authority", args: []string{"ping", "--url", url, "--ca", readable}, code: exitUsage, want: "got no certificate"},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			got := execute(t, test.env, test.stdin, test.args...)
			if got.code != test.code || !strings.Contains(got.stderr, test.want) {
				t.Errorf("got %d and %q, want %d and %q", got.code, got.stderr, test.code, test.want)
			}
			if said := got.stdout + got.stderr; strings.Contains(said, private[1:]) || strings.Contains(said, secret.Reveal()) {
				t.Errorf("a private key is shown: %q", said)
			}
		})
	}
}

func TestInterruptedBeforeAnythingWasSent(t *testing.T) {
	url := serve(t, newSecret(t), echo)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var stdout, stderr bytes.Buffer
	code := Run(ctx, []string{"ping", "--url", url}, func(string) string { return "" }, strings.NewReader(""), &stdout, &stderr)
	if code != exitInterrupted {
		t.Errorf("got %d and %q, want %d", code, stderr.String(), exitInterrupted)
	}
}

func TestWhoamiAndPing(t *testing.T) {
	secret := newSecret(t)
	url := serve(t, secret, echo)
	got := execute(t, nil, "", "whoami", "--url", url)
	if got.code != exitDone || !strings.Contains(got.stdout, secret.Public().String()) || !strings.Contains(got.stdout, "authenticate") {
		t.Errorf("got %+v, want the circle and that one has to authenticate", got)
	}
	got = execute(t, nil, "", "ping", "--url", url)
	if got.code != exitDone || !strings.HasPrefix(got.stdout, "the gateway answered in ") {
		t.Errorf("got %+v, want a time", got)
	}
}

func TestKeygenPrintsAPair(t *testing.T) {
	got := execute(t, nil, "", "keygen", "--json")
	var pair struct {
		Public  string `json:"public_key"`
		Private string `json:"private_key"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &pair); err != nil || got.code != exitDone {
		t.Fatalf("got %+v, want JSON", got)
	}
	secret, err := circle.ParseSecret(pair.Private)
	if err != nil || secret.Public().String() != pair.Public {
		t.Errorf("got keys that don't belong together: %v", err)
	}
}

func TestKeygenWritesAFileThatOnlyTheOwnerReads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "owner.key")
	first := execute(t, nil, "", "keygen", "--out", file)
	info, err := os.Stat(file)
	if err != nil || first.code != exitDone || info.Mode().Perm() != 0o600 {
		t.Fatalf("got %+v, %v and error %v, want mode 0600", first, info, err)
	}
	before := contents(t, file)
	secret, err := circle.ParseSecret(strings.TrimSpace(before))
	if err != nil || secret.Public().String()+"\n" != first.stdout {
		t.Errorf("the file holds another key than was printed: %v", err)
	}
	if strings.Contains(first.stdout+first.stderr, secret.Reveal()) {
		t.Error("the private key is shown although it went into a file")
	}

	if again := execute(t, nil, "", "keygen", "--out", file); again.code != exitUsage || contents(t, file) != before {
		t.Errorf("got %+v, want a refusal and the file as it was", again)
	}
	if forced := execute(t, nil, "", "keygen", "--out", file, "--force"); forced.code != exitDone || contents(t, file) == before {
		t.Errorf("got %+v, want another key", forced)
	}
}

func contents(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
