package protocol

import (
	"encoding/json"
	"time"

	"circles/pkg/auth"
	"circles/pkg/circle"
)

// Method names.
const (
	MethodFetchNonce   = "fetch_nonce"
	MethodAuthenticate = "authenticate"
	MethodWhoami       = "whoami"
	MethodPlay         = "play"
	MethodCancel       = "cancel"
	MethodDiscover     = "rpc.discover"

	// NotifyClosing is the gateway's notification that it drains.
	NotifyClosing = "closing"
)

// Role is what a caller may be to a circle.
type Role string

const (
	RoleOwner     Role = "owner"     // holds the circle's own key
	RoleMember    Role = "member"    // holds a key that the owner admitted
	RoleAnonymous Role = "anonymous" // anyone, where authentication is off
)

// Spec describes a method.
type Spec struct {
	Name    string
	Summary string
	Params  any // a zero parameter struct
	Result  any // a zero result struct
	Errors  []Code
}

// FetchNonceParams asks for a challenge for a key.
type FetchNonceParams struct {
	PubKey circle.Key `json:"pubkey" jsonschema:"description=the key that will sign: 66 lower-case hex digits"`
}

// FetchNonceResult is a challenge for the connection that asked. It is good for
// one attempt.
type FetchNonceResult struct {
	Nonce     string    `json:"nonce" jsonschema:"description=64 hex digits"`
	ExpiresAt time.Time `json:"expires_at" jsonschema:"description=when the challenge expires"`
	Challenge string    `json:"challenge" jsonschema:"description=the exact text to sign"`
}

// AuthenticateParams is the answer to a challenge.
type AuthenticateParams struct {
	PubKey    circle.Key  `json:"pubkey" jsonschema:"description=the key that the challenge was fetched for"`
	Signature string      `json:"signature" jsonschema:"description=signature of the challenge text in hex"`
	Scheme    auth.Scheme `json:"scheme,omitempty" jsonschema:"description=how it was signed,enum=ecdsa,enum=eip191,default=ecdsa"`
}

// AuthenticateResult says who the connection speaks for from now on.
type AuthenticateResult struct {
	Authenticated bool       `json:"authenticated"`
	PubKey        circle.Key `json:"pubkey"`
	Role          Role       `json:"role"`
}

// WhoamiParams are none.
type WhoamiParams struct{}

// WhoamiResult says who the connection speaks for. An unauthenticated one has no
// key; it has the role anonymous where authentication is off, else none.
type WhoamiResult struct {
	Circle        circle.Key  `json:"circle"`
	Authenticated bool        `json:"authenticated"`
	PubKey        *circle.Key `json:"pubkey" jsonschema:"nullable"`
	Role          *Role       `json:"role" jsonschema:"nullable"`
}

// PlayParams is a script to run.
type PlayParams struct {
	Script         string          `json:"script" jsonschema:"description=the script"`
	Args           json.RawMessage `json:"args,omitempty" jsonschema:"description=what the script sees as args: any JSON"`
	TimeoutMS      int64           `json:"timeout_ms,omitempty" jsonschema:"description=time the play gets from being taken to its result: in milliseconds,minimum=1"`
	IdempotencyKey string          `json:"idempotency_key,omitempty" jsonschema:"description=names the play among the caller's: sent again under the same key it has one effect and one outcome"`
}

// PlayResult is what a script came to.
type PlayResult struct {
	PlayID    string          `json:"play_id"`
	Output    string          `json:"output" jsonschema:"description=the value as the language prints it"`
	Value     json.RawMessage `json:"value" jsonschema:"description=the value as JSON"`
	ElapsedUS int64           `json:"elapsed_us" jsonschema:"description=time the script ran: in microseconds"`
}

// CancelParams names a play of the same connection that is in flight: by its own
// id or by that of the request that asked for it. One of the two is wanted.
type CancelParams struct {
	PlayID string          `json:"play_id,omitempty" jsonschema:"description=the play's id"`
	ID     json.RawMessage `json:"id,omitempty" jsonschema:"description=the id of the request that asked for the play: as it was sent"`
}

// CancelResult says whether the play is certain to have no effect. The request
// that asked for it is answered with CodeCancelled then. False means that it was
// too late, or that there is no such play in flight.
type CancelResult struct {
	Cancelled bool `json:"cancelled"`
}

// DiscoverParams are none.
type DiscoverParams struct{}

// ClosingParams is what the notification closing carries.
type ClosingParams struct {
	Reason string `json:"reason"`
}
