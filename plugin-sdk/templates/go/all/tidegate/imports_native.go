//go:build !wasip1

package tidegate

import (
	"fmt"
	"math"
	"strings"
)

// Stand-ins for tests: a test sets what the plugin is to find.
var (
	Lines     []string                 // what was logged
	Headers   = map[string][]string{}  // of the request, by lower-case name
	Address   string                   // the client's
	TLSName   string                   // its server name
	Requested *RequestLine             // of Line; nil where there is none
	Entrance  string                   // of Listener
	Proof     *Shown                   // of Certificate
	Edits     []string                 // "SIDE set NAME: VALUE", as Set, Append and Remove came
	Notes     = map[string]string{}    // of Note and Noted
	Columns   = map[Metric][]float64{} // live numbers
	Signals   = map[string][]float64{} // reported numbers
	Counters  = map[string]float64{}   // of Add
	Waits     = map[string]uint32{}    // of Take: milliseconds by key, 0 where there is none
	Time      float64                  // of Now
	Date      float64                  // of Wall
	Luck      float64                  // of Chance
	Measured  = map[string]float64{}   // by "NAME LABEL": of Count the sum, of SetLevel and Observe the latest
	Table     = map[string]string{}    // of Lookup
	Fields    = map[string]string{}    // of BodyField
	Blocks    []uint32                 // of BodyBlocks
	First     []byte                   // of BodyFirst
)

// Log appends to Lines.
func Log(level Level, message string) {
	Lines = append(Lines, fmt.Sprint([]string{"debug", "info", "warn", "error"}[level], " ", message))
}

// Header is the first of Headers.
func Header(name string) (value string, ok bool) {
	all := Values(name)
	if len(all) == 0 {
		return "", false
	}
	return all[0], true
}

// Values are those of Headers.
func Values(name string) []string { return Headers[strings.ToLower(name)] }

// Client is Address.
func Client() (address string, ok bool) { return Address, Address != "" }

// ServerName is TLSName.
func ServerName() (name string, ok bool) { return TLSName, TLSName != "" }

// Line is Requested.
func Line() (of RequestLine, ok bool) {
	if Requested == nil {
		return RequestLine{}, false
	}
	return *Requested, true
}

// Listener is Entrance.
func Listener() (name string, ok bool) { return Entrance, Entrance != "" }

// Certificate is Proof.
func Certificate() (shown Shown, ok bool) {
	if Proof == nil {
		return Shown{}, false
	}
	return *Proof, true
}

// Set appends to Edits.
func Set(side Side, name, value string) { edit(side, "set", name+": "+value) }

// Append appends to Edits.
func Append(side Side, name, value string) { edit(side, "append", name+": "+value) }

// Remove appends to Edits.
func Remove(side Side, name string) { edit(side, "remove", name) }

func edit(side Side, what, of string) {
	Edits = append(Edits, []string{"request", "response"}[side]+" "+what+" "+of)
}

// Note sets one of Notes.
func Note(key, value string) { Notes[key] = value }

// Noted is that of Notes.
func Noted(key string) (value string, ok bool) {
	value, ok = Notes[key]
	return value, ok
}

// Column is that of Columns.
func Column(of Metric) []float64 { return Columns[of] }

// Signal is that of Signals.
func Signal(name string) []float64 { return Signals[name] }

// Add adds to one of Counters.
func Add(key string, delta float64) (value float64, ok bool) {
	sum := Counters[key] + delta
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0, false
	}
	Counters[key] = sum
	return sum, true
}

// Take is that of Waits.
func Take(key string, rate, burst float64) uint32 { return Waits[key] }

// Now is Time.
func Now() float64 { return Time }

// Wall is Date.
func Wall() float64 { return Date }

// Chance is Luck.
func Chance() float64 { return Luck }

// Count adds to one of Measured.
func Count(name, label string, by float64) { Measured[name+" "+label] += by }

// SetLevel sets one of Measured.
func SetLevel(name, label string, is float64) { Measured[name+" "+label] = is }

// Observe sets one of Measured.
func Observe(name, label string, value float64) { Measured[name+" "+label] = value }

// Lookup is that of Table.
func Lookup(key string) (value string, ok bool) {
	value, ok = Table[key]
	return value, ok
}

// BodyField is that of Fields.
func BodyField(name string) (value string, ok bool) {
	value, ok = Fields[name]
	return value, ok
}

// BodyBlocks are Blocks.
func BodyBlocks() []uint32 { return Blocks }

// BodyFirst is First.
func BodyFirst() []byte { return First }
