package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fasthttp/websocket"

	"circles/deploy/e2e/bench/load"
	"circles/pkg/auth"
	"circles/pkg/circle"
	"circles/pkg/protocol"
)

// A system is ours: a Redis, and gateways and workers with their default settings.
type system struct {
	host     *host
	secrets  []circle.Secret // of its circles
	redis    *service
	redisURL string
	gateways []*service
	workers  []*service
}

// newSystem starts a system of so many circles.
func (h *host) newSystem(ctx context.Context, circles int) (*system, error) {
	s := &system{host: h}
	for range circles {
		secret, err := circle.GenerateSecret()
		if err != nil {
			return nil, err
		}
		s.secrets = append(s.secrets, secret)
	}
	var addr string
	var err error
	if s.redis, addr, err = h.redis(ctx); err != nil {
		return nil, err
	}
	s.redisURL = "redis://" + addr
	return s, s.grow(ctx)
}

// grow adds a gateway and a worker. Only ports differ from the default settings, and that profiles are shown.
func (s *system) grow(ctx context.Context) error { return s.growOn(ctx, "") }

// growOn does so on one core, unless it is empty.
func (s *system) growOn(ctx context.Context, core string) error {
	start := func(name, binary string, env []string, messages ...string) (*service, error) {
		if core == "" {
			return s.host.start(ctx, name, binary, env, nil, messages...)
		}
		return s.host.start(ctx, name, "taskset", env, []string{"-c", core, binary}, messages...)
	}
	env := []string{"CIRCLE_KEYS=" + strings.Join(s.keys(), ","), "REDIS_URL=" + s.redisURL, "PPROF_ADDR=127.0.0.1:0"}
	worker, err := start("worker", s.host.bin.Worker, append(env, "WORKER_HTTP_ADDR="), workerRuns, profilesShown)
	if err != nil {
		return err
	}
	gateway, err := start("gateway", s.host.bin.Gateway, append(env, "GATEWAY_PORT=0"), gatewayListens, profilesShown)
	if err != nil {
		return err
	}
	s.workers, s.gateways = append(s.workers, worker), append(s.gateways, gateway)
	return nil
}

func (s *system) keys() []string {
	keys := make([]string, len(s.secrets))
	for i, secret := range s.secrets {
		keys[i] = secret.Public().String()
	}
	return keys
}

func (s *system) services() []*service {
	return append(append([]*service{s.redis}, s.gateways...), s.workers...)
}

// connect opens so many authenticated connections, in turn to the first so many circles and over the gateways.
func (s *system) connect(ctx context.Context, count, circles int, p load.Protocol, script string) ([]*load.Conn, error) {
	var conns []*load.Conn
	for i := range count {
		secret := s.secrets[i%circles]
		host := s.gateways[i%len(s.gateways)].addr(gatewayListens)
		ws, err := dial(ctx, "ws://"+host+"/"+secret.Public().String())
		if err != nil {
			return nil, err
		}
		if err := authenticate(ws, host, secret); err != nil {
			return nil, err
		}
		conns = append(conns, load.New(ws, p, script))
	}
	return conns, nil
}

// dial opens a socket. Its buffers are the library's default and the gateway's.
func dial(ctx context.Context, url string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{HandshakeTimeout: patience, ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10}
	ws, _, err := dialer.DialContext(ctx, url, nil)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", url, err)
	}
	return ws, nil
}

// authenticate signs the challenge that the gateway gives a circle's own key.
func authenticate(ws *websocket.Conn, host string, secret circle.Secret) error {
	var offer protocol.FetchNonceResult
	if err := call(ws, protocol.MethodFetchNonce, protocol.FetchNonceParams{PubKey: secret.Public()}, &offer); err != nil {
		return err
	}
	challenge, err := auth.ParseChallenge(offer.Challenge)
	if err != nil {
		return err
	}
	if err := challenge.Matches(host, secret.Public(), secret.Public(), time.Now()); err != nil {
		return err
	}
	signature, err := auth.Sign(auth.ECDSA, secret, offer.Challenge)
	if err != nil {
		return err
	}
	var result protocol.AuthenticateResult
	return call(ws, protocol.MethodAuthenticate, protocol.AuthenticateParams{PubKey: secret.Public(), Signature: signature, Scheme: auth.ECDSA}, &result)
}

// call makes one call and awaits its answer.
func call(ws *websocket.Conn, method string, params, result any) error {
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	request := protocol.Request{ID: protocol.ID("0"), Method: method, Params: text}
	if err := ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := ws.WriteMessage(websocket.TextMessage, request.AppendJSON(nil)); err != nil {
		return err
	}
	_, frame, err := ws.ReadMessage()
	if err != nil {
		return err
	}
	replies, err := protocol.DecodeReplies(frame)
	if err != nil {
		return err
	}
	if replies[0].Error != nil {
		return fmt.Errorf("%s: %s", method, replies[0].Error.Message)
	}
	return json.Unmarshal(replies[0].Result, result)
}

func closeAll(conns []*load.Conn) {
	for _, c := range conns {
		_ = c.Close() // nothing waits in it
	}
}
