package tidegate

import "unsafe"

// What was returned, until the gateway has read it: names of headers, edits, and what they point to.
var (
	wanted      []string
	wantedLists []list
	edits       []Edit
	words       [][5]uint32
	rewritten   list
)

//go:wasmexport tidegate:plugin/rewriter@0.1.0#configure
func configure(config, configLength uint32) unsafe.Pointer {
	defer emptyArena()
	if rewriter == nil {
		panic("expected tidegate.Export to be called in an init function")
	}
	names, err := rewriter.Configure(copyString(list{at: config, length: configLength}))
	result := configureResult(err)
	if err == nil {
		wanted = names
		wantedLists = wantedLists[:0]
		for _, name := range wanted {
			wantedLists = append(wantedLists, stringOf(name))
		}
		result.value = listOf(wantedLists)
	}
	return unsafe.Pointer(result)
}

//go:wasmexport tidegate:plugin/rewriter@0.1.0#rewrite
func rewrite(scheme, host, hostLength, path, pathLength, hasRoute, route, endpoint, endpointLength, status, headers, count uint32) unsafe.Pointer {
	defer emptyArena()
	context := Context{
		Secure:   scheme == 1,
		Host:     copyString(list{at: host, length: hostLength}),
		Path:     copyString(list{at: path, length: pathLength}),
		Endpoint: copyString(list{at: endpoint, length: endpointLength}),
	}
	if hasRoute != 0 {
		context.Route = &route
	}
	fields := make([]Field, 0, count)
	for _, each := range view[[2]list](list{at: headers, length: count}) {
		fields = append(fields, Field{copyString(each[0]), copyString(each[1])})
	}
	edits = rewriter.Rewrite(context, status, fields)
	words = words[:0]
	for _, edit := range edits {
		name, value := stringOf(edit.field.Name), stringOf(edit.field.Value)
		switch edit.kind {
		case replace:
			words = append(words, [5]uint32{replace, edit.index, value.at, value.length})
		case remove:
			words = append(words, [5]uint32{remove, edit.index})
		default:
			words = append(words, [5]uint32{edit.kind, name.at, name.length, value.at, value.length})
		}
	}
	rewritten = listOf(words)
	return unsafe.Pointer(&rewritten)
}
