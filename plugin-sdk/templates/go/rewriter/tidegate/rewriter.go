package tidegate

// Context is the request that a response belongs to.
type Context struct {
	Secure   bool    // whether the client spoke https to the gateway
	Host     string  // the client's, with the port if it was sent
	Path     string  // the client's, without query
	Route    *uint32 // index of the operator's [[route]], if one applied
	Endpoint string  // URL, like "ws://10.0.0.7:8080"
}

// Edit is made by ReplaceHeader, RemoveHeader and AddHeader.
type Edit struct {
	kind  uint32
	index uint32
	field Field
}

const (
	replace uint32 = iota
	remove
	addition
)

// ReplaceHeader gives the header at this index of what Rewrite was given another value.
func ReplaceHeader(index int, value string) Edit {
	return Edit{kind: replace, index: uint32(index), field: Field{Value: value}}
}

// RemoveHeader takes the header at this index out.
func RemoveHeader(index int) Edit { return Edit{kind: remove, index: uint32(index)} }

// AddHeader adds a header.
func AddHeader(name, value string) Edit { return Edit{kind: addition, field: Field{name, value}} }

// Rewriter decides what of a response goes back to the client. The gateway calls one at a time.
type Rewriter interface {
	// Configure is called once, first. The configuration is JSON: {"routes": […]} if there is none of its own. It
	// returns the names of the headers to see, in lower case, at most 64. An error refuses the configuration:
	// ConfigErrors say where (errors.Join for several).
	Configure(config string) (headers []string, err error)
	// Rewrite is called for responses that have one of these headers, with those alone: names in lower case. At most
	// 256 edits.
	Rewrite(context Context, status uint32, headers []Field) []Edit
}

var rewriter Rewriter

// Export makes this the plugin's rewriter. Call it in init.
func Export(it Rewriter) { rewriter = it }
