package tidegate

import "unsafe"

// endpoint is an Endpoint as it lies in memory.
type endpoint struct {
	name          list
	weight, group uint32
	route         optionalString
	labels        list
}

// Of the latest pick: here, so that a pick allocates nothing.
var (
	sticking uint32
	picked   struct{ some, id uint32 }
)

//go:wasmexport tidegate:plugin/balancer@0.1.0#configure
func configure(config, configLength, endpoints, count uint32) unsafe.Pointer {
	defer emptyArena()
	if balancer == nil {
		panic("expected tidegate.Export to be called in an init function")
	}
	all := make([]Endpoint, 0, count)
	for _, each := range view[endpoint](list{at: endpoints, length: count}) {
		labels := make([][2]string, 0, each.labels.length)
		for _, label := range view[[2]list](each.labels) {
			labels = append(labels, [2]string{copyString(label[0]), copyString(label[1])})
		}
		route, _ := each.route.take()
		all = append(all, Endpoint{copyString(each.name), each.weight, each.group, route, labels})
	}
	return unsafe.Pointer(configureResult(balancer.Configure(copyString(list{at: config, length: configLength}), all)))
}

//go:wasmexport tidegate:plugin/balancer@0.1.0#pick
func pick(eligible, count, busy, busyCount, sticky, hash uint32) unsafe.Pointer {
	defer emptyArena()
	var affinity *uint32
	if sticky != 0 {
		sticking = hash
		affinity = &sticking
	}
	id, ok := balancer.Pick(view[uint32](list{at: eligible, length: count}), view[uint32](list{at: busy, length: busyCount}), affinity)
	picked.some, picked.id = 0, id
	if ok {
		picked.some = 1
	}
	return unsafe.Pointer(&picked)
}
