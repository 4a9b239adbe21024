package client_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

// gateway is a real WebSocket server that speaks the protocol and does as a
// test tells it: pkg can't import the gateway proper, which is tested with this
// client in launcher.
type gateway struct {
	server *httptest.Server
	circle circle.Key

	// play answers plays; the default echoes the script. Its context ends with
	// the connection.
	play func(ctx context.Context, session *session, params protocol.PlayParams) (any, *protocol.Error)
	// challenge changes the challenge that is offered.
	challenge func(text string) string
	// refuse answers the handshake instead of taking it, unless it is nil or
	// returns false.
	refuse func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	sessions []*session
	signed   []protocol.AuthenticateParams
	running  sync.WaitGroup
}

// session is one connection to the gateway.
type session struct {
	gateway *gateway
	ws      *websocket.Conn
	number  int // from 1

	mu        sync.Mutex
	challenge string
	key       circle.Key
}

// newGateway prepares a gateway for a new circle; start or startTLS serves it.
func newGateway() (*gateway, circle.Secret) {
	secret, err := circle.GenerateSecret()
	if err != nil {
		panic(err)
	}
	g := &gateway{
		circle: secret.Public(),
		play: func(_ context.Context, _ *session, params protocol.PlayParams) (any, *protocol.Error) {
			return result(params.Script), nil
		},
		challenge: func(text string) string { return text },
	}
	g.server = httptest.NewUnstartedServer(g)
	return g, secret
}

func result(output string) protocol.PlayResult {
	value, err := json.Marshal(output)
	if err != nil {
		panic(err)
	}
	return protocol.PlayResult{PlayID: "play-1", Output: output, Value: value, ElapsedUS: 1500}
}

func (g *gateway) start() string {
	g.server.Start()
	return g.url()
}

func (g *gateway) startTLS() string {
	g.server.StartTLS()
	return g.url()
}

func (g *gateway) url() string {
	return "ws" + strings.TrimPrefix(g.server.URL, "http") + "/" + g.circle.String()
}

func (g *gateway) host() string {
	_, host, _ := strings.Cut(g.server.URL, "://")
	return host
}

func (g *gateway) stop() {
	g.mu.Lock()
	for _, session := range g.sessions {
		_ = session.ws.CloseNow()
	}
	g.mu.Unlock()
	g.running.Wait()
	g.server.Close()
}

func (g *gateway) connections() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sessions)
}

func (g *gateway) signatures() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.signed)
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.running.Add(1)
	defer g.running.Done()
	if g.refuse != nil && g.refuse(w, r) {
		return
	}
	if r.URL.Path != "/"+g.circle.String() {
		notFound(w, r)
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	g.mu.Lock()
	s := &session{gateway: g, ws: ws, number: len(g.sessions) + 1}
	g.sessions = append(g.sessions, s)
	g.mu.Unlock()
	s.serve()
}

func notFound(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusNotFound)
	_ = json.NewEncoder(w).Encode(map[string]string{
		"error":   "Circle not found",
		"message": "Circle '" + strings.Trim(r.URL.Path, "/") + "' is not available on this server",
	})
}

func (s *session) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	var calls sync.WaitGroup
	defer calls.Wait()
	defer cancel()
	for {
		_, data, err := s.ws.Read(ctx)
		if err != nil {
			_ = s.ws.CloseNow()
			return
		}
		for _, entry := range protocol.DecodeFrame(data, 10).Entries {
			// What changes who the connection speaks for is not reordered.
			if entry.Request.Method == protocol.MethodPlay {
				calls.Go(func() { s.answer(ctx, entry) })
			} else {
				s.answer(ctx, entry)
			}
		}
	}
}

func (s *session) answer(ctx context.Context, entry protocol.Entry) {
	failure := entry.Error
	var got any
	if failure == nil {
		got, failure = s.call(ctx, entry.Request)
	}
	response := protocol.Response{ID: entry.Request.ID, Error: failure}
	if failure == nil {
		response = protocol.Result(entry.Request.ID, got)
	}
	s.send(response.AppendJSON(nil))
}

func (s *session) send(frame []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = s.ws.Write(ctx, websocket.MessageText, frame)
}

func (s *session) call(ctx context.Context, request protocol.Request) (any, *protocol.Error) {
	switch request.Method {
	case protocol.MethodFetchNonce:
		var params protocol.FetchNonceParams
		if err := protocol.DecodeParams(request.Params, &params); err != nil {
			return nil, err
		}
		nonce := make([]byte, auth.NonceLen/2)
		_, _ = rand.Read(nonce)
		challenge := auth.Challenge{
			Audience: s.gateway.host(),
			Circle:   s.gateway.circle,
			Signer:   params.PubKey,
			Nonce:    hex.EncodeToString(nonce),
			Expires:  time.Now().Add(time.Minute),
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.challenge = challenge.Text()
		return protocol.FetchNonceResult{
			Nonce: challenge.Nonce, ExpiresAt: challenge.Expires, Challenge: s.gateway.challenge(s.challenge),
		}, nil
	case protocol.MethodAuthenticate:
		var params protocol.AuthenticateParams
		if err := protocol.DecodeParams(request.Params, &params); err != nil {
			return nil, err
		}
		s.gateway.mu.Lock()
		s.gateway.signed = append(s.gateway.signed, params)
		s.gateway.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if params.PubKey != s.gateway.circle || auth.Verify(params.Scheme, params.PubKey, s.challenge, params.Signature) != nil {
			return nil, protocol.Errorf(protocol.CodeAuthFailed, "authentication failed")
		}
		s.key = params.PubKey
		return protocol.AuthenticateResult{Authenticated: true, PubKey: s.key, Role: protocol.RoleOwner}, nil
	case protocol.MethodWhoami:
		who := protocol.WhoamiResult{Circle: s.gateway.circle}
		if key := s.who(); !key.IsZero() {
			role := protocol.RoleOwner
			who.Authenticated, who.PubKey, who.Role = true, &key, &role
		}
		return who, nil
	case protocol.MethodDiscover:
		return map[string]string{"openrpc": "1.3.2"}, nil
	case protocol.MethodPlay:
		var params protocol.PlayParams
		if err := protocol.DecodeParams(request.Params, &params); err != nil {
			return nil, err
		}
		return s.gateway.play(ctx, s, params)
	}
	return nil, protocol.Errorf(protocol.CodeMethodNotFound, "method not found: %s", request.Method)
}

func (s *session) who() circle.Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

// notify sends a notification.
func (s *session) notify(method string, params any) {
	frame, err := protocol.Notify(method, params)
	if err != nil {
		panic(err)
	}
	s.send(frame)
}

// cut ends the connection without a word.
func (s *session) cut() { _ = s.ws.CloseNow() }
