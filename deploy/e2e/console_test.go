package e2e

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"circles/launcher/launch"
	"circles/pkg/auth"
	"circles/pkg/circle"
)

// consolePatience ends a browser that hangs; no test waits for it.
const consolePatience = 2 * time.Minute

// page is the console in a headless browser.
type page struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // exceptions, refusals by the content security policy, and the like
}

// openConsole serves a circle and opens its console in a real browser.
func openConsole(t *testing.T, enableAuth bool) (*page, *launch.Handle) {
	t.Helper()
	browser := chromium(t)
	handle := serve(t, func(config *launch.Config) { config.Gateway.EnableAuth = enableAuth })
	ctx, cancel := context.WithTimeout(context.Background(), consolePatience)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, // The tests may run as root, and open nothing but our own page.
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	allocator, endAllocator := chromedp.NewExecAllocator(ctx, options...)
	tab, endTab := chromedp.NewContext(allocator)
	p := &page{t: t, ctx: tab}
	t.Cleanup(func() {
		if err := chromedp.Cancel(tab); err != nil {
			t.Errorf("close the browser: %v", err)
		}
		endTab()
		endAllocator()
	})
	p.do(
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			if err := chromedp.Listen(ctx, p.notice); err != nil {
				return err
			}
			_, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{})
			return err
		}),
		chromedp.Navigate(handle.ConsoleURL(handle.Circles()[0])),
		chromedp.WaitVisible(chromedp.CSS(`#status[data-state="open"]`)),
	)
	return p, handle
}

// serve starts a whole system in this process, on a free port unless change
// takes another.
func serve(t *testing.T, change func(*launch.Config)) *launch.Handle {
	t.Helper()
	config, err := launch.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	config.Dev = true
	config.Gateway.Port = 0
	change(&config)
	handle, err := launch.Start(t.Context(), config, launch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(context.Background(), consolePatience)
		defer cancel()
		if err := handle.Stop(stopping); err != nil {
			t.Error(err)
		}
	})
	return handle
}

// chromium finds a browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	if os.Getenv("CIRCLES_REQUIRE_BROWSER") == "1" {
		t.Fatal("no Chromium on PATH, and CIRCLES_REQUIRE_BROWSER=1 requires it")
	}
	t.Skip("no Chromium on PATH: the console is not tested in a browser")
	return ""
}

// notice keeps what a page without faults never says.
func (p *page) notice(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(event.ExceptionDetails)
		p.problems = append(p.problems, string(text))
	case *cdplog.EventEntryAdded:
		p.problems = append(p.problems, event.Entry.Text+" "+event.Entry.URL)
	}
}

func (p *page) expectNoProblems() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.t.Errorf("the browser complains: %s", problem)
	}
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatalf("browser: %v", err)
	}
}

// text awaits an element and returns what it says.
func (p *page) text(selector string) string {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		p.t.Fatalf("%s: %v", selector, err)
	}
	return text
}

// evaluate returns what an expression, perhaps a promise, comes to.
func evaluate[T any](p *page, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// write replaces the script by typing.
func (p *page) write(script string) {
	p.t.Helper()
	evaluate[any](p, `document.querySelector('#script').focus(), document.querySelector('#script').select()`)
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: script})
		return err
	}))
}

// press presses a key as a keyboard does: what the key types comes from the same
// event, so that a page which takes the event keeps it from typing.
func (p *page) press(key, text string, code, modifiers int64) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, event := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
			params := input.DispatchKeyEventParams{
				Type: event, Key: key, Code: key, WindowsVirtualKeyCode: code, Modifiers: modifiers,
			}
			if event == input.DispatchKeyEventTypeKeyDown {
				params.Text = text
			}
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, params); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (p *page) signIn(secret circle.Secret) {
	p.t.Helper()
	p.do(
		chromedp.SendKeys(chromedp.CSS("#secret"), secret.Reveal()),
		chromedp.Click(chromedp.CSS("#sign-button")),
	)
}

func (p *page) play() {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS("#play")))
}

func TestConsolePlaysAndShowsValues(t *testing.T) {
	p, _ := openConsole(t, false)
	if got := p.text("#role"); got != "anonymous" {
		t.Errorf("got role %q, want anonymous", got)
	}
	p.write("args.a * args.b")
	p.do(chromedp.SendKeys(chromedp.CSS("#args"), `{"a": 6, "b": 7}`))
	p.play()
	p.do(chromedp.WaitVisible(chromedp.CSS("#output")))
	if got := p.text("#output"); got != "42" {
		t.Errorf("got %q, want 42", got)
	}
	if got := p.text("#facts"); !strings.Contains(got, "Ran for") {
		t.Errorf("got %q, want the time it ran", got)
	}
	if got := p.text("#history"); !strings.Contains(got, "args.a * args.b") || !strings.Contains(got, "42") {
		t.Errorf("got history %q, want the script and its value", got)
	}
	p.expectNoProblems()
}

func TestConsoleKeepsLargeIntegers(t *testing.T) {
	p, _ := openConsole(t, false)
	p.write("[9007199254740993, 1.0]")
	p.play()
	p.do(
		chromedp.WaitVisible(chromedp.CSS("#output")),
		chromedp.Click(chromedp.CSS("#json-box summary")),
	)
	if got := strings.Join(strings.Fields(p.text("#json")), ""); got != "[9007199254740993,1.0]" {
		t.Errorf("got %s, want every digit", got)
	}
}

func TestConsoleMarksTheLineOfAnError(t *testing.T) {
	p, _ := openConsole(t, false)
	p.write("let x = 1;\nlet y = x + missing;\n")
	p.play()
	p.do(chromedp.WaitVisible(chromedp.CSS("#error-message")))
	if got := p.text("#error-message"); !strings.Contains(got, "missing") {
		t.Errorf("got %q, want the variable's name", got)
	}
	if got := p.text("#error-place"); got != "Line 2, column 13" {
		t.Errorf("got %q, want line 2, column 13", got)
	}
	if got := p.text("#gutter .wrong"); got != "2" {
		t.Errorf("got line %q marked, want 2", got)
	}
	p.do(chromedp.Click(chromedp.CSS("#error-place")))
	if got := evaluate[int](p, `document.querySelector('#script').selectionStart`); got != len("let x = 1;\nlet y = x + ") {
		t.Errorf("got the caret at %d, want it at the error", got)
	}
	if bad := evaluate[string](p, `document.querySelector('#args').value = '{', document.querySelector('#play').click(),
		document.querySelector('#args-error').textContent`); !strings.HasPrefix(bad, "Not JSON") {
		t.Errorf("got %q, want that the arguments are not JSON", bad)
	}
	p.expectNoProblems()
}

func TestConsoleKeyboard(t *testing.T) {
	p, _ := openConsole(t, false)
	const control, shift = 2, 8
	enter := func(modifiers int64) { p.press("Enter", "\r", 13, modifiers) }
	tab := func(modifiers int64) { p.press("Tab", "", 9, modifiers) }
	value := func() string { return evaluate[string](p, `document.querySelector('#script').value`) }

	p.write("if true {")
	enter(0) // indents by itself
	tab(0)
	tab(shift)
	p.do(chromedp.KeyEvent("7"))
	enter(0)
	tab(shift)
	p.do(chromedp.KeyEvent("}"))
	if got := value(); got != "if true {\n    7\n}" {
		t.Errorf("got %q, want it indented", got)
	}
	evaluate[any](p, `document.querySelector('#script').select()`)
	tab(0)
	if got := value(); got != "    if true {\n        7\n    }" {
		t.Errorf("got %q, want every line indented", got)
	}
	enter(control)
	p.do(chromedp.WaitVisible(chromedp.CSS("#output")))
	if got := p.text("#output"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
	p.press("Escape", "", 27, 0)
	tab(0)
	if got := evaluate[string](p, `document.activeElement.id`); got == "script" {
		t.Error("Tab after Escape stays in the editor")
	}
}

// TestConsoleComesBack restarts the gateway under an open page.
func TestConsoleComesBack(t *testing.T) {
	p, handle := openConsole(t, true)
	p.signIn(handle.Secret())
	p.do(chromedp.WaitVisible(chromedp.CSS("#sign-out")))
	if err := handle.Stop(p.ctx); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.WaitVisible(chromedp.CSS(`#status[data-state="wait"]`)))
	_, port, err := net.SplitHostPort(handle.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	serve(t, func(config *launch.Config) {
		config.Gateway.EnableAuth = true
		config.Gateway.CircleKeys = []string{handle.Circles()[0].String()}
		if config.Gateway.Port, err = strconv.Atoi(port); err != nil {
			t.Fatal(err)
		}
	})
	p.do(chromedp.WaitVisible(chromedp.CSS(`#status[data-state="open"]`)))
	if got := p.text("#role"); got != "owner" {
		t.Errorf("got role %q, want to be signed in again", got)
	}
}

func TestConsoleSignsIn(t *testing.T) {
	p, handle := openConsole(t, true)
	if got := p.text("#role"); got != "sign in to play" {
		t.Errorf("got role %q, want to be asked to sign in", got)
	}
	p.write("CALLER_PUBLIC_KEY")
	p.play()
	p.do(chromedp.WaitVisible(chromedp.CSS("#error-message")))
	if got := p.text("#error-message"); !strings.Contains(got, "authentication required") {
		t.Errorf("got %q, want that authentication is required", got)
	}

	stranger, err := circle.GenerateSecret()
	if err != nil {
		t.Fatal(err)
	}
	p.signIn(stranger)
	p.do(chromedp.WaitVisible(chromedp.CSS("#sign-error:not(:empty)")))
	if got := p.text("#sign-error"); !strings.Contains(got, "authentication failed") {
		t.Errorf("got %q, want that a stranger is refused", got)
	}

	p.signIn(handle.Secret())
	p.do(chromedp.WaitVisible(chromedp.CSS("#sign-out")))
	if got := p.text("#role"); got != "owner" {
		t.Errorf("got role %q, want owner", got)
	}
	if evaluate[bool](p, fmt.Sprintf(`document.documentElement.outerHTML.includes(%q)
		|| document.querySelector('#secret').value !== '' || localStorage.length + sessionStorage.length !== 0`, handle.Secret().Reveal())) {
		t.Error("the private key stays in the page, or something is stored")
	}
	p.play()
	p.do(chromedp.WaitVisible(chromedp.CSS("#output")))
	if got, want := p.text("#output"), handle.Circles()[0].String(); got != want {
		t.Errorf("got %q, want %s", got, want)
	}
	p.expectNoProblems()

	p.do(chromedp.Click(chromedp.CSS("#sign-out")), chromedp.WaitVisible(chromedp.CSS("#sign-in")))
	if got := p.text("#role"); got != "sign in to play" {
		t.Errorf("got role %q, want to be nobody again", got)
	}
}

// TestConsoleSignsNothingElse runs the page's own check in the browser.
func TestConsoleSignsNothingElse(t *testing.T) {
	p, handle := openConsole(t, true)
	circle := handle.Circles()[0].String()
	challenge := fmt.Sprintf("circles-auth-v1\naudience: localhost:8080\ncircle: %[1]s\nsigner: %[1]s\nnonce: %[2]s\nexpires: 2030-01-01T00:00:00Z",
		circle, strings.Repeat("5a", 32))
	other := "02" + strings.Repeat("11", 32)
	check := func(text string) string {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return evaluate[string](p, fmt.Sprintf(`import('/console/identity.js').then(({ checkChallenge }) => {
			try {
				checkChallenge(%s, { audience: 'localhost:8080', circle: %q, signer: %q }, Date.parse('2029-12-31T23:59:59Z'));
				return '';
			} catch (error) { return error.message; }
		})`, quoted, circle, circle))
	}
	if got := check(challenge); got != "" {
		t.Errorf("got %q, want the challenge to be in order", got)
	}
	for name, text := range map[string]string{
		"another audience":   strings.Replace(challenge, "localhost:8080", "bank.example", 1),
		"another circle":     strings.Replace(challenge, "circle: "+circle, "circle: "+other, 1),
		"another signer":     strings.Replace(challenge, "signer: "+circle, "signer: "+other, 1),
		"expired":            strings.Replace(challenge, "2030", "2029", 1),
		"no date":            strings.Replace(challenge, "2030-01-01T00:00:00Z", "tomorrow", 1),
		"another kind":       strings.Replace(challenge, "circles-auth-v1", "circles-pay-v1", 1),
		"a short nonce":      strings.Replace(challenge, "5a5a", "", 1),
		"a line more":        challenge + "\nI owe you 1000",
		"a newline more":     challenge + "\n",
		"a line less":        challenge[:strings.LastIndex(challenge, "\n")],
		"fields out of turn": strings.Replace(strings.Replace(challenge, "circle: ", "x: ", 1), "signer: ", "circle: ", 1),
		"nothing":            "",
	} {
		if got := check(text); got == "" {
			t.Errorf("%s: got no objection", name)
		}
	}
}

// TestConsoleSignsByTheBrowsersWallet stands in for the wallet: the page's side
// of it is what is tested, and the signature is made as wallets make it.
func TestConsoleSignsByTheBrowsersWallet(t *testing.T) {
	p, handle := openConsole(t, true)
	p.do(signingWallet(handle.Secret()), chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS("#wallet")))
	p.do(chromedp.Click(chromedp.CSS("#wallet-button")), chromedp.WaitVisible(chromedp.CSS("#sign-out")))
	if got := p.text("#role"); got != "owner" {
		t.Errorf("got role %q, want owner", got)
	}
}

// signingWallet puts a wallet into every page that is opened from now on.
func signingWallet(secret circle.Secret) chromedp.Action[chromedp.Void] {
	sign := func(_ context.Context, message string) (string, error) {
		text, err := hex.DecodeString(strings.TrimPrefix(message, "0x"))
		if err != nil {
			return "", err
		}
		signature, err := auth.Sign(auth.EIP191, secret, string(text))
		return "0x" + signature, err
	}
	const wallet = `window.ethereum = { request: ({ method, params }) => method === 'eth_requestAccounts'
		? Promise.resolve(['0x0000000000000000000000000000000000000001'])
		: window.signForTest(params[0]) };`
	return chromedp.Steps(
		chromedp.ExposeFunc("signForTest", sign),
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: wallet})
			return err
		}),
	)
}
