// Takes Server out of responses; a redirection to http of the client's own host leads to https if the client uses it.
//
// Configuration: {"remove": ["server", "x-powered-by"]}. Without one it is the list of [[route]], which is ignored.
package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"plugins.local/plugin-name/tidegate"
)

type cleaner struct{}

func init() { tidegate.Export(&cleaner{}) }

func main() {} // is not called

func (*cleaner) Configure(config string) (headers []string, err error) {
	var settings map[string]json.RawMessage
	if err := json.Unmarshal([]byte(config), &settings); err != nil {
		return nil, errors.New("expected a table, found " + config)
	}
	remove := []string{"server"}
	var faults []error
	for key, value := range settings {
		switch key {
		case "routes":
		case "remove":
			if err := json.Unmarshal(value, &remove); err != nil {
				faults = append(faults, tidegate.ConfigError{Path: "/remove", Message: "expected a list of names of headers"})
			}
		default:
			faults = append(faults, tidegate.ConfigError{Path: "/" + key, Message: "expected remove and nothing else"})
		}
	}
	headers = []string{"location"}
	for _, name := range remove {
		if name = strings.ToLower(name); !slices.Contains(headers, name) {
			headers = append(headers, name)
		}
	}
	return headers, errors.Join(faults...)
}

func (*cleaner) Rewrite(context tidegate.Context, status uint32, headers []tidegate.Field) []tidegate.Edit {
	var edits []tidegate.Edit
	for index, header := range headers {
		if header.Name != "location" {
			edits = append(edits, tidegate.RemoveHeader(index))
		} else if path, own := strings.CutPrefix(header.Value, "http://"+context.Host+"/"); own && context.Secure {
			edits = append(edits, tidegate.ReplaceHeader(index, "https://"+context.Host+"/"+path))
		}
	}
	if len(edits) > 0 && len(edits) < 256 { // 256 are the most that the gateway takes
		edits = append(edits, tidegate.AddHeader("x-rewritten-by", "plugin-name"))
	}
	return edits
}
