// Package protocol is what a client and a gateway say to each other: JSON-RPC
// 2.0 in WebSocket text frames, on a socket at ws://host:port/<circle key>.
//
// # Frames
//
// A frame is one request or a batch of them. [DecodeFrame] reads what a gateway
// receives, [DecodeReplies] what a client receives. A request without an id is a
// notification: it is carried out and never answered, whatever comes of it.
// Answers come as plays finish, in no particular order; those of a batch come
// together, once the last is ready. An id is a string, a number or null, and is
// echoed byte for byte.
//
// Parameters go by name or by position, in the order of the fields of the
// method's parameter struct. One that the method doesn't have is refused.
//
// # Methods
//
// A [Spec] describes a method; the specs are the ground of both the gateway's
// dispatch and the OpenRPC document that rpc.discover answers ([OpenRPC]).
//
//	fetch_nonce   FetchNonceParams    -> FetchNonceResult
//	authenticate  AuthenticateParams  -> AuthenticateResult
//	whoami        WhoamiParams        -> WhoamiResult
//	play          PlayParams          -> PlayResult
//	rpc.discover                      -> the OpenRPC document
//
// The gateway sends the notification closing (ClosingParams) when it drains:
// no new play is taken, running ones are still answered, and the client had
// better connect anew.
//
// # Errors
//
// Codes are those of JSON-RPC and the constants of type [Code]. Of the data
// that comes with an error, ScriptErrorData goes with CodeScript, TimeoutData with
// CodeTimeout, LimitData with CodeLimit, RetryData with CodeBusy and
// CodeRateLimited.
package protocol
