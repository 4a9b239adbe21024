package gateway

import (
	"encoding/json"
	"time"

	"circles/pkg/protocol"
	"circles/pkg/queue"
)

// method is a row of the dispatch table, which alone decides what a client can
// call: calls are looked up in it, and the OpenRPC document is made from it.
type method struct {
	spec protocol.Spec
	// public methods may be called without authentication.
	public bool
	call   callFunc
}

// callFunc carries out a call of a session and answers it once, now or later.
type callFunc func(s *session, c *call)

// methods is the dispatch table.
func methods() []method {
	return []method{
		{
			spec: protocol.Spec{
				Name:    protocol.MethodPlay,
				Summary: "runs a script in the circle and answers with its value",
				Params:  protocol.PlayParams{},
				Result:  protocol.PlayResult{},
				Errors: []protocol.Code{
					protocol.CodeAuthRequired, protocol.CodeNotPermitted,
					protocol.CodeScript, protocol.CodeTimeout, protocol.CodeLimit, protocol.CodeCancelled,
					protocol.CodeBusy, protocol.CodeExpired, protocol.CodeGaveUp,
				},
			},
			call: play(),
		},
		{
			spec: protocol.Spec{
				Name:    protocol.MethodCancel,
				Summary: "ends a play of this connection that waits or runs; it then has no effect",
				Params:  protocol.CancelParams{},
				Result:  protocol.CancelResult{},
				Errors:  []protocol.Code{protocol.CodeAuthRequired, protocol.CodeBusy},
			},
			call: cancel,
		},
		{
			spec: protocol.Spec{
				Name:    protocol.MethodFetchNonce,
				Summary: "gives the challenge that proves a key when it is signed; it is good for this connection and one attempt",
				Params:  protocol.FetchNonceParams{},
				Result:  protocol.FetchNonceResult{},
				Errors:  []protocol.Code{protocol.CodeBusy},
			},
			public: true,
			call:   now((*session).fetchNonce),
		},
		{
			spec: protocol.Spec{
				Name:    protocol.MethodAuthenticate,
				Summary: "proves a key by the signature of the challenge that was fetched for it",
				Params:  protocol.AuthenticateParams{},
				Result:  protocol.AuthenticateResult{},
				Errors:  []protocol.Code{protocol.CodeAuthFailed},
			},
			public: true,
			call:   now((*session).authenticate),
		},
		{
			spec: protocol.Spec{
				Name:    protocol.MethodWhoami,
				Summary: "says which circle the connection is to and whom it speaks for",
				Params:  protocol.WhoamiParams{},
				Result:  protocol.WhoamiResult{},
			},
			public: true,
			call:   now((*session).whoami),
		},
		{
			spec: protocol.Spec{
				Name:    protocol.MethodDiscover,
				Summary: "answers with this document",
				Params:  protocol.DiscoverParams{},
				Result:  protocol.Document{},
			},
			public: true,
			call:   now((*session).discover),
		},
	}
}

// now adapts a method that answers at once.
func now[P, R any](f func(*session, P) (R, *protocol.Error)) callFunc {
	params := protocol.ParamsOf[P]()
	return func(s *session, c *call) {
		p, err := params.Decode(c.request.Params)
		if err != nil {
			c.answer(nil, err)
			return
		}
		result, err := f(s, p)
		c.answer(result, err)
	}
}

func (s *session) fetchNonce(p protocol.FetchNonceParams) (protocol.FetchNonceResult, *protocol.Error) {
	challenge, err := s.auth.fetchNonce(p.PubKey)
	if err != nil {
		return protocol.FetchNonceResult{}, err
	}
	return protocol.FetchNonceResult{
		Nonce:     challenge.Nonce,
		ExpiresAt: challenge.Expires,
		Challenge: challenge.Text(),
	}, nil
}

func (s *session) authenticate(p protocol.AuthenticateParams) (protocol.AuthenticateResult, *protocol.Error) {
	if err := s.auth.authenticate(p); err != nil {
		s.log().Info("authentication failed", "pubkey", p.PubKey.String(), "error", err)
		return protocol.AuthenticateResult{}, protocol.Errorf(protocol.CodeAuthFailed, "authentication failed")
	}
	s.log().Info("authenticated", "pubkey", s.auth.who.key.String(), "role", string(s.auth.who.role))
	return protocol.AuthenticateResult{Authenticated: true, PubKey: s.auth.who.key, Role: s.auth.who.role}, nil
}

func (s *session) whoami(protocol.WhoamiParams) (protocol.WhoamiResult, *protocol.Error) {
	result := protocol.WhoamiResult{Circle: s.circle}
	who, ok := s.identity()
	if !who.key.IsZero() {
		result.Authenticated, result.PubKey = true, &who.key
	}
	if ok {
		result.Role = &who.role
	}
	return result, nil
}

func (s *session) discover(protocol.DiscoverParams) (json.RawMessage, *protocol.Error) {
	return s.server.openRPC, nil
}

// play has a script handed to the hub. It is answered when the play is over.
func play() callFunc {
	params := protocol.ParamsOf[protocol.PlayParams]()
	return func(s *session, c *call) {
		p, err := params.Decode(c.request.Params)
		if err == nil {
			err = c.reserve()
		}
		if err != nil {
			c.answer(nil, err)
			return
		}
		c.play = queue.NewPlayID()
		asked := asked{
			id:     c.play,
			circle: s.circle,
			params: p,
			came:   time.Now(), // the play's time runs from here
		}
		asked.by, _ = s.identity()
		s.flights.add(c.play, c.request.ID)
		if err := s.server.hub.play(s.ctx, asked, c); err != nil {
			c.answer(nil, err)
		}
	}
}

// cancel has the hub cancel plays of the connection. It is answered when that is
// decided, and comes after the plays that were sent before it.
func cancel(s *session, c *call) {
	var p protocol.CancelParams
	if err := protocol.DecodeParams(c.request.Params, &p); err != nil {
		c.answer(nil, err)
		return
	}
	if (p.PlayID == "") == (p.ID == nil) {
		c.answer(nil, protocol.Errorf(protocol.CodeInvalidParams, "invalid params: want play_id, or the id of the request that asked for the play"))
		return
	}
	plays := s.flights.take(p)
	if len(plays) == 0 {
		c.answer(protocol.CancelResult{}, nil)
		return
	}
	c.taken = plays
	s.submit(func() {
		defer s.survive(c)
		s.server.hub.cancel(s.ctx, s.circle, plays, c.answer)
	})
}
