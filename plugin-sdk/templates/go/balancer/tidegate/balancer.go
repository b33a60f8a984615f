package tidegate

// Endpoint is a member of a cluster. Its id is its index in what Configure is given.
type Endpoint struct {
	Name   string      // URL: "ws://10.0.0.7:8080"
	Weight uint32      // hundredths: 100 = 1.0; 1 to 10,000
	Group  uint32      // lower groups are used first; the gateway sees to that
	Route  string      // sticky route, or empty
	Labels [][2]string // the operator's, in alphabetical order: key and value
}

// Balancer decides who gets the next connection or request. The gateway calls one at a time.
type Balancer interface {
	// Configure is called once, first. The configuration is JSON: "null" if there is none. An error refuses it:
	// ConfigErrors say where (errors.Join for several).
	Configure(config string, endpoints []Endpoint) error
	// Pick returns the id of an eligible endpoint, or false: the client gets 503. Eligible are ids, ascending, at least
	// one; busy[i] is what eligible[i] holds; affinity is a 31-bit hash or nil.
	Pick(eligible, busy []uint32, affinity *uint32) (id uint32, ok bool)
}

var balancer Balancer

// Export makes this the plugin's balancer. Call it in init.
func Export(it Balancer) { balancer = it }
