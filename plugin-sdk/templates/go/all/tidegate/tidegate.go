// Package tidegate is the gateway as a plugin sees it: shapes and imports of the contract in wit/.
//
// Slices that a function of the plugin is given are valid until it returns; strings may be kept.
package tidegate

import "errors"

// ConfigError is a fault of the plugin's own configuration.
type ConfigError struct {
	Path    string // JSON pointer into it (RFC 6901), like "/zones/3"; empty for the whole
	Message string // what was expected, what was found
}

func (e ConfigError) Error() string { return e.Message }

// configErrors takes apart what Configure returned: ConfigErrors, errors.Join of them, any other error for the whole.
func configErrors(err error) []ConfigError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []ConfigError
		for _, each := range joined.Unwrap() {
			all = append(all, configErrors(each)...)
		}
		return all
	}
	var fault ConfigError
	if errors.As(err, &fault) {
		return []ConfigError{{fault.Path, err.Error()}}
	}
	return []ConfigError{{"", err.Error()}}
}

// Field is a header of a request or a response.
type Field struct{ Name, Value string }

// RequestLine is what is nearly always needed of a request.
type RequestLine struct {
	Method  string
	Secure  bool   // whether the client spoke https to the gateway
	Host    string // lower case, without port
	Path    string // begins with "/", percent-encoded as sent, without dot segments
	Query   *string
	Upgrade string // first protocol that the client asks to switch to, lower case: "websocket"; or empty
}

// Shown is what is known of a client's certificate that was checked.
type Shown struct {
	Subject     string // like "CN=alice,O=Example"
	Fingerprint string // SHA-256 in hex
}

// Side is whose headers an edit changes.
type Side uint32

const (
	OfRequest  Side = iota // towards the endpoint, and what later plugins see
	OfResponse             // towards the client
)

// Level of a line in the gateway's log.
type Level uint32

const (
	Debug Level = iota
	Info
	Warn
	Error
)

// Metric is a live number of an endpoint.
type Metric uint32

const (
	Picks    Metric = iota // requests and tunnels given to it since it was added
	Sent                   // bytes to it
	Received               // bytes from it
	Failures               // failed connects and broken exchanges
	Latency                // smoothed microseconds to the first byte of a response; NaN before the first
	Latest                 // the same of the latest response
)
