// Routes by host as the configuration says, else by the first segment of the path: /chat/room goes to the cluster chat.
//
// Configuration: {"hosts": {"chat.example.com": "chat"}}. Without one it is the list of [[route]], which is ignored.
package main

import (
	"encoding/json"
	"errors"
	"strings"

	"plugins.local/plugin-name/tidegate"
)

type byPath struct {
	names map[string]uint32 // index of a cluster by its name
	hosts map[string]uint32 // and by host
}

func init() { tidegate.Export(&byPath{}) }

func main() {} // is not called

func (r *byPath) Configure(config string, clusters []string) error {
	var settings map[string]json.RawMessage
	if err := json.Unmarshal([]byte(config), &settings); err != nil {
		return errors.New("expected a table, found " + config)
	}
	r.names, r.hosts = map[string]uint32{}, map[string]uint32{}
	for index, name := range clusters {
		r.names[name] = uint32(index)
	}
	var faults []error
	for key, value := range settings {
		switch key {
		case "routes":
		case "hosts":
			var hosts map[string]string
			if err := json.Unmarshal(value, &hosts); err != nil {
				faults = append(faults, tidegate.ConfigError{Path: "/hosts", Message: "expected names of clusters by host"})
			}
			for host, cluster := range hosts {
				index, ok := r.names[cluster]
				if !ok {
					message := "expected one of " + strings.Join(clusters, ", ") + ", found " + cluster
					faults = append(faults, tidegate.ConfigError{Path: "/hosts/" + host, Message: message})
				}
				r.hosts[strings.ToLower(host)] = index
			}
		default:
			faults = append(faults, tidegate.ConfigError{Path: "/" + key, Message: "expected hosts and nothing else"})
		}
	}
	return errors.Join(faults...)
}

func (r *byPath) Route(request tidegate.RequestLine) tidegate.Decision {
	cluster, ok := r.hosts[request.Host]
	if !ok {
		first, _, _ := strings.Cut(strings.TrimPrefix(request.Path, "/"), "/")
		cluster, ok = r.names[first]
	}
	if !ok {
		return tidegate.Unmatched()
	}
	return tidegate.Forward(cluster)
}
