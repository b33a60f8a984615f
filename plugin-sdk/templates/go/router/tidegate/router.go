package tidegate

// Decision is made by Forward, Respond, Unmatched and Next.
type Decision struct {
	kind     uint32
	cluster  uint32
	path     string
	route    int64
	response Response
}

const (
	forward uint32 = iota
	respond
	unmatched
	next
)

// Response is what the gateway sends by itself.
type Response struct {
	Status  uint32 // 200 to 599
	Headers []Field
	Body    []byte
}

// Forward sends the request to a cluster, by its index in what Configure was given.
func Forward(cluster uint32) Decision { return Decision{kind: forward, cluster: cluster, route: -1} }

// WithPath sends this path and query in place of the client's.
func (d Decision) WithPath(path string) Decision {
	d.path = path
	return d
}

// WithRoute applies the settings of the operator's [[route]] of this index.
func (d Decision) WithRoute(route uint32) Decision {
	d.route = int64(route)
	return d
}

// Respond sends this response right away.
func Respond(response Response) Decision { return Decision{kind: respond, response: response} }

// Unmatched says that no cluster takes the request.
func Unmatched() Decision { return Decision{kind: unmatched} }

// Next leaves the request to the plugin behind, and behind the last one to where the [[route]] leads. Of the plugins of a
// [[route]] alone.
func Next() Decision { return Decision{kind: next} }

// Router decides which cluster gets a request. The gateway calls one at a time.
type Router interface {
	// Configure is called once, first. The configuration is JSON: {"routes": […]} if there is none of its own. An error
	// refuses it: ConfigErrors say where (errors.Join for several).
	Configure(config string, clusters []string) error
	// Route decides for one request.
	Route(request RequestLine) Decision
}

var router Router

// Export makes this the plugin's router. Call it in init.
func Export(it Router) { router = it }
