package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The wire form of a message is a letter for what it is, a byte for its
// version, and its fields in a fixed order: numbers as varints, texts with
// their length before them. A field is only ever added at the end: a reader
// ignores what follows the fields that it knows, and what a shorter, older
// message lacks is zero. A change that this cannot express takes a new version,
// which older readers refuse.
const (
	playLetter    = 'P'
	outcomeLetter = 'O'
	wireVersion   = 1

	// MaxMessageBytes bounds an encoded message, and maxItems the number of
	// printed lines or trace entries in one.
	MaxMessageBytes = 16 << 20
	maxItems        = 1 << 16
)

// ErrMalformed is wrapped by every error of DecodePlay and DecodeOutcome.
var ErrMalformed = errors.New("malformed message")

const flagStream = 1 << 0

// EncodePlay returns the wire form of p, whose deadline is by Redis's clock.
func EncodePlay(p Play) []byte {
	return appendPlay(make([]byte, 0, 96+len(p.ID)+len(p.Script)+len(p.Args)+len(p.Caller)+len(p.IdempotencyKey)+len(p.ReplyTo)), p)
}

func appendPlay(dst []byte, p Play) []byte {
	w := writer{dst}
	w.head(playLetter)
	w.text(p.ID)
	w.text(p.Script)
	w.text(string(p.Args))
	w.text(p.Caller)
	w.text(p.Role)
	w.time(p.Deadline)
	w.text(p.IdempotencyKey)
	var flags int64
	if p.Stream {
		flags |= flagStream
	}
	w.number(flags)
	w.text(p.ReplyTo)
	return w.buf
}

// DecodePlay reads what EncodePlay wrote.
func DecodePlay(text string) (Play, error) {
	r := reader{rest: text}
	r.head(playLetter)
	var p Play
	p.ID = r.text()
	p.Script = r.text()
	p.Args = r.bytes()
	p.Caller = r.text()
	p.Role = r.text()
	p.Deadline = r.time()
	p.IdempotencyKey = r.text()
	p.Stream = r.number()&flagStream != 0
	p.ReplyTo = r.text()
	if r.err != nil {
		return Play{}, fmt.Errorf("play: %w", r.err)
	}
	return p, nil
}

// EncodeOutcome returns the wire form of o.
func EncodeOutcome(o Outcome) []byte {
	return appendOutcome(make([]byte, 0, 64+len(o.PlayID)+len(o.Output)+len(o.Value)), o)
}

func appendOutcome(dst []byte, o Outcome) []byte {
	w := writer{dst}
	w.head(outcomeLetter)
	w.text(o.PlayID)
	w.text(o.Output)
	w.text(string(o.Value))
	w.number(o.Elapsed.Microseconds())
	w.texts(o.Printed)
	var none PlayError
	e := o.Error
	if e == nil {
		e = &none
	}
	w.text(string(e.Kind))
	w.text(e.ScriptKind)
	w.text(e.Message)
	w.number(int64(e.Line))
	w.number(int64(e.Column))
	w.texts(e.Trace)
	w.text(e.Limit)
	return w.buf
}

// DecodeOutcome reads what EncodeOutcome wrote.
func DecodeOutcome(text string) (Outcome, error) {
	r := reader{rest: text}
	r.head(outcomeLetter)
	var (
		o Outcome
		e PlayError
	)
	o.PlayID = r.text()
	o.Output = r.text()
	o.Value = r.bytes()
	o.Elapsed = r.duration()
	o.Printed = r.texts()
	e.Kind = ErrorKind(r.text())
	e.ScriptKind = r.text()
	e.Message = r.text()
	e.Line = int(r.number())
	e.Column = int(r.number())
	e.Trace = r.texts()
	e.Limit = r.text()
	if r.err != nil {
		return Outcome{}, fmt.Errorf("outcome: %w", r.err)
	}
	if e.Kind != "" {
		failed := e // e itself stays off the heap for the plays that succeed
		o.Error = &failed
	}
	return o, nil
}

// cutReply takes the first outcome off what is published to a gateway: outcomes
// in their wire form, each after its length in decimal and a colon.
func cutReply(replies string) (outcome, rest string, ok bool) {
	size, rest, _ := strings.Cut(replies, ":")
	n, err := strconv.Atoi(size)
	if err != nil || n < 0 || n > len(rest) {
		return "", "", false
	}
	return rest[:n], rest[n:], true
}

type writer struct{ buf []byte }

func (w *writer) head(letter byte) { w.buf = append(w.buf, letter, wireVersion) }

func (w *writer) number(n int64) { w.buf = binary.AppendVarint(w.buf, n) }

// time is in microseconds since 1970; the zero Time is 0.
func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.number(0)
	} else {
		w.number(t.UnixMicro())
	}
}

func (w *writer) text(s string) {
	w.buf = binary.AppendUvarint(w.buf, uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) texts(list []string) {
	w.number(int64(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

// reader keeps the first error and gives zero values after it. What it returns
// shares memory with the message.
type reader struct {
	rest string
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	r.rest = ""
}

func (r *reader) head(letter byte) {
	switch {
	case len(r.rest) > MaxMessageBytes:
		r.fail("%d bytes, want at most %d", len(r.rest), MaxMessageBytes)
	case len(r.rest) < 2 || r.rest[0] != letter:
		r.fail("does not begin with %q", letter)
	case r.rest[1] != wireVersion:
		r.fail("version %d, want %d; run the same release everywhere", r.rest[1], wireVersion)
	default:
		r.rest = r.rest[2:]
	}
}

// uvarint reads a number; at the end of the message it is zero.
func (r *reader) uvarint() uint64 {
	var n uint64
	for i := 0; i < len(r.rest); i++ {
		if i == binary.MaxVarintLen64-1 && r.rest[i] > 1 {
			break
		}
		n |= uint64(r.rest[i]&0x7f) << (7 * i)
		if r.rest[i] < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
		if i == binary.MaxVarintLen64-1 {
			break
		}
	}
	if r.rest != "" {
		r.fail("a number has no end")
	}
	return 0
}

func (r *reader) number() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) time() time.Time {
	if n := r.number(); n != 0 {
		return time.UnixMicro(n)
	}
	return time.Time{}
}

// duration reads microseconds; what a Duration cannot hold or is negative is
// malformed.
func (r *reader) duration() time.Duration {
	const most = int64(1<<63-1) / int64(time.Microsecond)
	n := r.number()
	if n < 0 || n > most {
		r.fail("a duration of %d µs", n)
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.fail("a text of %d bytes in the last %d of the message", n, len(r.rest))
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) bytes() []byte {
	if s := r.text(); s != "" {
		return []byte(s)
	}
	return nil
}

func (r *reader) texts() []string {
	n := r.number()
	switch {
	case n == 0:
		return nil
	case n < 0 || n > maxItems || n > int64(len(r.rest)):
		r.fail("a list of %d texts in the last %d bytes of the message", n, len(r.rest))
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.text()
	}
	return list
}
