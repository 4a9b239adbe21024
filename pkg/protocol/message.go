package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// version is the only value that the member "jsonrpc" may have.
const version = "2.0"

// null is the id of an answer whose request shows none.
var null = json.RawMessage("null")

// ID is a request's id as raw JSON: a string, a number or null. The nil ID is
// that of a notification.
type ID = json.RawMessage

// Request is a request, or a notification when its ID is nil.
type Request struct {
	ID     ID
	Method string
	Params json.RawMessage // an object or an array; nil when there are none
}

// IsNotification reports whether the request is not to be answered.
func (r Request) IsNotification() bool { return r.ID == nil }

// Response answers one request. Exactly one of Result and Error is set.
type Response struct {
	ID     ID
	Result json.RawMessage
	Error  *Error
}

// Entry is one request of a frame. When it is none, Error says why and only the
// request's ID is set, null where it can't be told.
type Entry struct {
	Request Request
	Error   *Error
}

// Frame is a decoded frame: a batch, or one entry that stood alone.
type Frame struct {
	Batch   bool
	Entries []Entry
}

// DecodeFrame decodes what a client sent. It can't fail: whatever is wrong is
// the error of an entry. A batch of more than maxBatch entries is refused as a
// whole. Nothing in the result refers to data.
func DecodeFrame(data []byte, maxBatch int) Frame {
	if !utf8.Valid(data) {
		return refusal(Errorf(CodeParse, "parse error: the frame is not UTF-8"))
	}
	data = trimSpace(data)
	if len(data) == 0 || data[0] != '[' {
		if !json.Valid(data) {
			return refusal(parseError(data))
		}
		return Frame{Entries: []Entry{decodeEntry(bytes.Clone(data))}}
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(data, &raws); err != nil {
		return refusal(parseError(data))
	}
	switch {
	case len(raws) == 0:
		return refusal(Errorf(CodeInvalidRequest, "invalid request: the batch is empty"))
	case len(raws) > maxBatch:
		return refusal(Errorf(CodeInvalidRequest, "invalid request: the batch has %d entries, at most %d are taken", len(raws), maxBatch))
	}
	frame := Frame{Batch: true, Entries: make([]Entry, len(raws))}
	for i, raw := range raws {
		frame.Entries[i] = decodeEntry(raw)
	}
	return frame
}

// refusal is the frame that is answered with one error and no id.
func refusal(err *Error) Frame {
	return Frame{Entries: []Entry{{Request: Request{ID: null}, Error: err}}}
}

func parseError(data []byte) *Error {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(data, new(json.RawMessage)); errors.As(err, &syntax) {
		return Errorf(CodeParse, "parse error: %v at byte %d", syntax, syntax.Offset)
	}
	return Errorf(CodeParse, "parse error: the frame is not JSON")
}

// decodeEntry decodes one request from valid JSON. Member names are compared
// exactly, so the members are taken apart by hand.
func decodeEntry(data json.RawMessage) Entry {
	invalid := func(id ID, format string, args ...any) Entry {
		if id == nil {
			id = null
		}
		return Entry{Request: Request{ID: id}, Error: Errorf(CodeInvalidRequest, "invalid request: "+format, args...)}
	}
	if kind := kindOf(data); kind != "object" {
		return invalid(nil, "got %s, want an object", withArticle(kind))
	}
	var id, rpc, named, params json.RawMessage
	for walk := membersOf(data); ; {
		name, raw, ok := walk.next()
		if !ok {
			break
		}
		switch name {
		case "id":
			id = raw
		case "jsonrpc":
			rpc = raw
		case "method":
			named = raw
		case "params":
			params = raw
		}
	}
	if id != nil {
		if kind := kindOf(id); kind != "string" && kind != "number" && kind != "null" {
			return invalid(nil, "id is %s, want a string, a number or null", withArticle(kind))
		}
	}
	if rpc == nil {
		return invalid(id, `jsonrpc is missing, want "2.0"`)
	} else if kindOf(rpc) != "string" || textOf(rpc) != version {
		return invalid(id, `jsonrpc is not "2.0"`)
	}
	if named == nil {
		return invalid(id, "method is missing")
	} else if kind := kindOf(named); kind != "string" {
		return invalid(id, "method is %s, want a string", withArticle(kind))
	}
	method := textOf(named)
	switch kind := kindOf(params); kind {
	case "", "null":
		params = nil
	case "object", "array":
	default:
		return invalid(id, "params is %s, want an object or an array", withArticle(kind))
	}
	return Entry{Request: Request{ID: id, Method: method, Params: params}}
}

// kindOf names the kind of a valid JSON value; of none it is empty.
func kindOf(raw json.RawMessage) string {
	raw = trimSpace(raw)
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

func withArticle(kind string) string {
	switch kind {
	case "null", "":
		return kind
	case "object", "array", "integer":
		return "an " + kind
	}
	return "a " + kind
}

// AppendJSON appends the request as JSON. Params must be valid JSON or nil.
func (r Request) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"jsonrpc":"2.0"`...)
	if r.ID != nil {
		dst = append(append(dst, `,"id":`...), r.ID...)
	}
	dst = append(dst, `,"method":`...)
	dst = appendText(dst, r.Method)
	if r.Params != nil {
		dst = append(append(dst, `,"params":`...), r.Params...)
	}
	return append(dst, '}')
}

// AppendJSON appends the response as JSON, its id as it came.
func (r Response) AppendJSON(dst []byte) []byte {
	id := r.ID
	if id == nil {
		id = null
	}
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = append(dst, id...)
	if r.Error != nil {
		dst = append(dst, `,"error":`...)
		dst = r.Error.appendJSON(dst)
		return append(dst, '}')
	}
	result := r.Result
	if result == nil {
		result = null
	}
	dst = append(dst, `,"result":`...)
	dst = append(dst, result...)
	return append(dst, '}')
}

// AppendBatch appends the one message that answers a batch.
func AppendBatch(dst []byte, responses []Response) []byte {
	dst = append(dst, '[')
	for i, response := range responses {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = response.AppendJSON(dst)
	}
	return append(dst, ']')
}

// Result makes the response that carries a result, or an internal error when
// the result has no JSON.
func Result(id ID, result any) Response {
	raw, err := marshal(result)
	if err != nil {
		return Response{ID: id, Error: Errorf(CodeInternal, "internal error")}
	}
	return Response{ID: id, Result: raw}
}

// AppendJSON appends the result of a play as JSON, as encoding/json would.
func (r PlayResult) AppendJSON(dst []byte) []byte {
	dst = appendText(append(dst, `{"play_id":`...), r.PlayID)
	dst = appendText(append(dst, `,"output":`...), r.Output)
	dst = append(dst, `,"value":`...)
	if r.Value == nil {
		dst = append(dst, null...)
	}
	dst = append(dst, r.Value...)
	dst = append(dst, `,"elapsed_us":`...)
	return append(strconv.AppendInt(dst, r.ElapsedUS, 10), '}')
}

// appendText appends a text as a JSON string.
func appendText(dst []byte, text string) []byte {
	for i := range len(text) {
		if b := text[i]; b < ' ' || b > '~' || b == '"' || b == '\\' {
			raw, _ := marshal(text) // every text has a form
			return append(dst, raw...)
		}
	}
	dst = append(append(dst, '"'), text...)
	return append(dst, '"')
}

// Notify makes the frame of a notification.
func Notify(method string, params any) ([]byte, error) {
	raw, err := marshal(params)
	if err != nil {
		return nil, fmt.Errorf("notification %s: %w", method, err)
	}
	return Request{Method: method, Params: raw}.AppendJSON(nil), nil
}

// Reply is one message that a client receives: a notification when Method is
// set, else a response.
type Reply struct {
	Response
	Method string
	Params json.RawMessage
}

// DecodeReplies decodes what a gateway sent: one message, or the answers to a
// batch.
func DecodeReplies(data []byte) ([]Reply, error) {
	raws := []json.RawMessage{data}
	if kindOf(data) == "array" {
		if err := json.Unmarshal(data, &raws); err != nil {
			return nil, fmt.Errorf("reply is not JSON: %w", err)
		}
	}
	replies := make([]Reply, len(raws))
	for i, raw := range raws {
		var wire struct {
			Version string          `json:"jsonrpc"`
			ID      json.RawMessage `json:"id"`
			Method  string          `json:"method"`
			Params  json.RawMessage `json:"params"`
			Result  json.RawMessage `json:"result"`
			Error   *Error          `json:"error"`
		}
		if err := json.Unmarshal(raw, &wire); err != nil {
			return nil, fmt.Errorf("reply is no JSON-RPC message: %w", err)
		}
		if wire.Version != version || (wire.Method == "") == (wire.Result == nil && wire.Error == nil) {
			return nil, errors.New("reply is no JSON-RPC 2.0 message: want a method, or a result or an error")
		}
		replies[i] = Reply{
			Response: Response{ID: wire.ID, Result: wire.Result, Error: wire.Error},
			Method:   wire.Method,
			Params:   wire.Params,
		}
	}
	return replies, nil
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// appendJSON appends the error as JSON. Its data is JSON already.
func (e *Error) appendJSON(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"code":`...), int64(e.Code), 10)
	dst = appendText(append(dst, `,"message":`...), e.Message)
	if len(e.Data) > 0 {
		dst = append(append(dst, `,"data":`...), e.Data...)
	}
	return append(dst, '}')
}
