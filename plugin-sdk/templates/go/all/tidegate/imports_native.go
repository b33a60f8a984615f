//go:build !wasip1

package tidegate

import (
	"fmt"
	"math"
	"strings"
)

// Stand-ins for tests: a test sets what the plugin is to find.
var (
	Lines    []string                 // what was logged
	Headers  = map[string][]string{}  // of the request, by lower-case name
	Address  string                   // the client's
	TLSName  string                   // its server name
	Columns  = map[Metric][]float64{} // live numbers
	Signals  = map[string][]float64{} // reported numbers
	Counters = map[string]float64{}   // of Add
	Waits    = map[string]uint32{}    // of Take: milliseconds by key, 0 where there is none
	Time     float64                  // of Now
	Date     float64                  // of Wall
	Luck     float64                  // of Chance
	Measured = map[string]float64{}   // by "NAME LABEL": of Count the sum, of SetLevel and Observe the latest
	Table    = map[string]string{}    // of Lookup
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
