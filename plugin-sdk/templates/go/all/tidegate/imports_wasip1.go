package tidegate

import (
	"structs"
	"unicode/utf8"
)

// What the plugin imports is what its code calls: the linker leaves out the rest.

// Log writes a line to the gateway's log, under the plugin's name. What of it is no UTF-8 becomes U+FFFD.
func Log(level Level, message string) {
	if !utf8.ValidString(message) {
		message = string([]rune(message))
	}
	log(level, message)
}

// Header is the first value of a header of the request, the name in any case. Only during Pick, Route and Rewrite.
func Header(name string) (value string, ok bool) {
	header(name, &text)
	return text.take()
}

// Values are all values of a header of the request, in its order. Only during Pick, Route and Rewrite.
func Values(name string) []string {
	values(name, &many)
	return copyStrings(many)
}

// Client is the client's address without port. Only during Pick, Route and Rewrite.
func Client() (address string, ok bool) {
	client(&text)
	return text.take()
}

// ServerName is what the client's TLS asked for. Only during Pick, Route and Rewrite.
func ServerName() (name string, ok bool) {
	sni(&text)
	return text.take()
}

// Line is the request's line, in every role that sees requests.
func Line() (of RequestLine, ok bool) {
	line(&head)
	if head.some&0xff == 0 {
		return RequestLine{}, false
	}
	of = RequestLine{
		Method: copyString(head.method),
		Secure: head.scheme&0xff == 1,
		Host:   copyString(head.host),
		Path:   copyString(head.path),
	}
	if query, ok := head.query.take(); ok {
		of.Query = &query
	}
	of.Upgrade, _ = head.upgrade.take()
	return of, true
}

// Listener is the name of the listener.
func Listener() (name string, ok bool) {
	listener(&text)
	return text.take()
}

// Certificate is of the client, if it showed one that was checked.
func Certificate() (shown Shown, ok bool) {
	certificate(&proof)
	if proof.some&0xff == 0 {
		return Shown{}, false
	}
	return Shown{Subject: copyString(proof.subject), Fingerprint: copyString(proof.fingerprint)}, true
}

// Set gives a header this value alone, if the call ends well. Only during Route.
func Set(side Side, name, value string) { setHeader(side, name, value) }

// Append adds a header beside those of its name, if the call ends well. Only during Route.
func Append(side Side, name, value string) { appendHeader(side, name, value) }

// Remove takes all headers of this name out, if the call ends well. Only during Route.
func Remove(side Side, name string) { removeHeaders(side, name) }

// Note notes something for the access line and for later plugins of the request, if the call ends well: at most 8 of 256
// bytes.
func Note(key, value string) { note(key, value) }

// Noted is what was noted under a key, by this plugin or an earlier one.
func Noted(key string) (value string, ok bool) {
	noted(key, &text)
	return text.take()
}

// Column is a number for each eligible endpoint, in that order, valid until Pick returns. Only during Pick.
func Column(of Metric) []float64 {
	column(of, &many)
	return view[float64](many)
}

// Signal is what the endpoints report under a name, as Column; NaN where it is unknown.
func Signal(name string) []float64 {
	signal(name, &many)
	return view[float64](many)
}

// Add adds to a counter that all instances of the plugin share, and returns its value; false if it was not added.
func Add(key string, delta float64) (value float64, ok bool) {
	add(key, delta, &number)
	return number.value, number.some&0xff != 0
}

// Take takes a token from a bucket that all instances of the plugin share: it holds burst of them and gets rate a second.
// 0: taken; else the milliseconds until there is one.
func Take(key string, rate, burst float64) uint32 { return take(key, rate, burst) }

// Now is microseconds since some moment, the same for all instances; it never goes back.
func Now() float64 { return now() }

// Wall is seconds since 1970.
func Wall() float64 { return wall() }

// Chance is a number of at least 0 and below 1.
func Chance() float64 { return chance() }

// Count adds to a number of the plugin's own in /metrics: by of 0 or more. Name: a-z, 0-9 and _.
func Count(name, label string, by float64) { count(name, label, by) }

// SetLevel sets such a number that goes up and down.
func SetLevel(name, label string, is float64) { level(name, label, is) }

// Observe adds one value, of 0 or more, to counts by size.
func Observe(name, label string, value float64) { observe(name, label, value) }

// Lookup is the value of a key in the operator's table.
func Lookup(key string) (value string, ok bool) {
	get(key, &text)
	return text.take()
}

// BodyField is a string, number or boolean of the JSON object that the body begins with. Only for a plugin that exports
// preview, during Pick and Route, as all of the body.
func BodyField(name string) (value string, ok bool) {
	field(name, &text)
	return text.take()
}

// BodyBlocks is a hash of all up to its end for each whole block of the body's beginning.
func BodyBlocks() []uint32 {
	blocks(&many)
	return view[uint32](many)
}

// BodyFirst is the beginning of the body.
func BodyFirst() []byte {
	first(&many)
	return view[byte](many)
}

// Where the gateway writes results. There is one of each: a plugin is called once at a time.
var (
	text   optionalString
	many   list
	number optionalNumber
	head   optionalLine
	proof  optionalShown
)

type optionalNumber struct {
	_     structs.HostLayout
	some  uint64
	value float64
}

type optionalString struct {
	_     structs.HostLayout
	some  uint32
	value list
}

type optionalLine struct {
	_       structs.HostLayout
	some    uint32
	method  list
	scheme  uint32
	host    list
	path    list
	query   optionalString
	upgrade optionalString
}

type optionalShown struct {
	_           structs.HostLayout
	some        uint32
	subject     list
	fingerprint list
}

func (o *optionalString) take() (string, bool) {
	if o.some&0xff == 0 {
		return "", false
	}
	return copyString(o.value), true
}

//go:wasmimport tidegate:plugin/log@0.1.0 log
func log(level Level, message string)

//go:wasmimport tidegate:plugin/request@0.1.0 header
func header(name string, to *optionalString)

//go:wasmimport tidegate:plugin/request@0.1.0 values
func values(name string, to *list)

//go:wasmimport tidegate:plugin/request@0.1.0 client
func client(to *optionalString)

//go:wasmimport tidegate:plugin/request@0.1.0 sni
func sni(to *optionalString)

//go:wasmimport tidegate:plugin/request@0.1.0 line
func line(to *optionalLine)

//go:wasmimport tidegate:plugin/request@0.1.0 listener
func listener(to *optionalString)

//go:wasmimport tidegate:plugin/request@0.1.0 certificate
func certificate(to *optionalShown)

//go:wasmimport tidegate:plugin/edits@0.1.0 set
func setHeader(side Side, name, value string)

//go:wasmimport tidegate:plugin/edits@0.1.0 append
func appendHeader(side Side, name, value string)

//go:wasmimport tidegate:plugin/edits@0.1.0 remove
func removeHeaders(side Side, name string)

//go:wasmimport tidegate:plugin/notes@0.1.0 note
func note(key, value string)

//go:wasmimport tidegate:plugin/notes@0.1.0 noted
func noted(key string, to *optionalString)

//go:wasmimport tidegate:plugin/columns@0.1.0 column
func column(of Metric, to *list)

//go:wasmimport tidegate:plugin/columns@0.1.0 signal
func signal(name string, to *list)

//go:wasmimport tidegate:plugin/counters@0.1.0 add
func add(key string, delta float64, to *optionalNumber)

//go:wasmimport tidegate:plugin/limit@0.1.0 take
func take(key string, rate, burst float64) uint32

//go:wasmimport tidegate:plugin/clock@0.1.0 now
func now() float64

//go:wasmimport tidegate:plugin/clock@0.1.0 wall
func wall() float64

//go:wasmimport tidegate:plugin/chance@0.1.0 chance
func chance() float64

//go:wasmimport tidegate:plugin/metrics@0.1.0 count
func count(name, label string, by float64)

//go:wasmimport tidegate:plugin/metrics@0.1.0 level
func level(name, label string, is float64)

//go:wasmimport tidegate:plugin/metrics@0.1.0 observe
func observe(name, label string, value float64)

//go:wasmimport tidegate:plugin/table@0.1.0 get
func get(key string, to *optionalString)

//go:wasmimport tidegate:plugin/body@0.1.0 field
func field(name string, to *optionalString)

//go:wasmimport tidegate:plugin/body@0.1.0 blocks
func blocks(to *list)

//go:wasmimport tidegate:plugin/body@0.1.0 first
func first(to *list)
