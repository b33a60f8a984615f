package tidegate

import "unsafe"

// What route returned, until the gateway has read it: the words of a decision, and what they point to.
var (
	decided  [7]uint32
	decision Decision
	fields   [][2]list
)

//go:wasmexport tidegate:plugin/router@0.1.0#configure
func configure(config, configLength, clusters, count uint32) unsafe.Pointer {
	defer emptyArena()
	if router == nil {
		panic("expected tidegate.Export to be called in an init function")
	}
	names := copyStrings(list{at: clusters, length: count})
	return unsafe.Pointer(configureResult(router.Configure(copyString(list{at: config, length: configLength}), names)))
}

//go:wasmexport tidegate:plugin/router@0.1.0#route
func route(method, methodLength, scheme, host, hostLength, path, pathLength, hasQuery, query, queryLength, hasUpgrade, upgrade, upgradeLength uint32) unsafe.Pointer {
	defer emptyArena()
	request := RequestLine{
		Method: copyString(list{at: method, length: methodLength}),
		Secure: scheme == 1,
		Host:   copyString(list{at: host, length: hostLength}),
		Path:   copyString(list{at: path, length: pathLength}),
	}
	if hasQuery != 0 {
		text := copyString(list{at: query, length: queryLength})
		request.Query = &text
	}
	if hasUpgrade != 0 {
		request.Upgrade = copyString(list{at: upgrade, length: upgradeLength})
	}
	decision = router.Route(request)
	decided = [7]uint32{decision.kind}
	switch decision.kind {
	case forward:
		decided[1] = decision.cluster
		if decision.path != "" {
			text := stringOf(decision.path)
			decided[2], decided[3], decided[4] = 1, text.at, text.length
		}
		if decision.route >= 0 {
			decided[5], decided[6] = 1, uint32(decision.route)
		}
	case respond:
		fields = fields[:0]
		for i := range decision.response.Headers {
			field := &decision.response.Headers[i]
			fields = append(fields, [2]list{stringOf(field.Name), stringOf(field.Value)})
		}
		headers, body := listOf(fields), listOf(decision.response.Body)
		decided = [7]uint32{respond, decision.response.Status, headers.at, headers.length, body.at, body.length}
	}
	return unsafe.Pointer(&decided)
}
