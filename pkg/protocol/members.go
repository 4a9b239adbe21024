package protocol

import (
	"bytes"
	"encoding/json"
)

// members walks through the members of an object, or the items of an array, that
// is valid JSON. Names are exact and may come twice.
type members struct{ rest []byte }

// membersOf begins a walk. What it yields refers to data.
func membersOf(data json.RawMessage) members {
	return members{trimSpace(data)[1:]}
}

// next returns the next member; false at the end.
func (m *members) next() (name string, value json.RawMessage, ok bool) {
	raw, ok := m.item()
	if !ok {
		return "", nil, false
	}
	m.skip(1) // the colon
	value, _ = m.item()
	return textOf(raw), value, true
}

// item returns the next item of an array, or name or value of an object.
func (m *members) item() (json.RawMessage, bool) {
	m.skip(0)
	if len(m.rest) > 0 && m.rest[0] == ',' {
		m.skip(1)
	}
	if len(m.rest) == 0 || m.rest[0] == ']' || m.rest[0] == '}' {
		return nil, false
	}
	n := valueLen(m.rest)
	item := json.RawMessage(m.rest[:n:n])
	m.rest = m.rest[n:]
	m.skip(0)
	return item, true
}

// skip drops n bytes and the space after them.
func (m *members) skip(n int) { m.rest = trimSpace(m.rest[min(n, len(m.rest)):]) }

// trimSpace drops JSON's white space from the front. There seldom is any, and it
// is asked for at every turn.
func trimSpace(data []byte) []byte {
	for len(data) > 0 && (data[0] == ' ' || data[0] == '\n' || data[0] == '\r' || data[0] == '\t') {
		data = data[1:]
	}
	return data
}

// valueLen is the length of the value that valid JSON begins with.
func valueLen(data []byte) int {
	switch data[0] {
	case '"':
		return stringLen(data)
	case '{', '[':
		depth := 0
		for i := 0; i < len(data); i++ {
			switch data[i] {
			case '"':
				i += stringLen(data[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(data)
	}
	for i, b := range data {
		switch b {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return i
		}
	}
	return len(data)
}

// stringLen is the length of the string that valid JSON begins with.
func stringLen(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// plainString is what a JSON string says when it has no escapes.
func plainString(raw json.RawMessage) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' || bytes.IndexByte(raw, '\\') >= 0 {
		return nil, false
	}
	return raw[1 : len(raw)-1], true
}

// textOf is what a JSON string says.
func textOf(raw json.RawMessage) string {
	plain, ok := plainString(raw)
	if !ok {
		var text string
		_ = json.Unmarshal(raw, &text) // it is valid
		return text
	}
	return intern(plain)
}

// intern makes a string, of which those that every request has cost nothing.
func intern(text []byte) string {
	switch string(text) {
	case "jsonrpc":
		return "jsonrpc"
	case version:
		return version
	case "id":
		return "id"
	case "method":
		return "method"
	case "params":
		return "params"
	case MethodPlay:
		return MethodPlay
	case "script":
		return "script"
	case "args":
		return "args"
	}
	return string(text)
}
