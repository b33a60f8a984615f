// Chooses the endpoint with the fewest connections for its weight; among equals they take turns.
package main

import (
	"errors"
	"strconv"

	"plugins.local/plugin-name/tidegate"
)

type least struct {
	weights []uint64 // of every endpoint, by its id
	last    int64    // id of the latest choice
}

func init() { tidegate.Export(&least{}) }

func main() {} // is not called

func (l *least) Configure(config string, endpoints []tidegate.Endpoint) error {
	if config != "null" && config != "{}" {
		return errors.New("expected no configuration, found " + config)
	}
	l.last = -1
	l.weights = make([]uint64, 0, len(endpoints))
	for _, endpoint := range endpoints {
		l.weights = append(l.weights, uint64(endpoint.Weight))
	}
	tidegate.Log(tidegate.Info, "balances "+strconv.Itoa(len(endpoints))+" endpoints")
	return nil
}

func (l *least) Pick(eligible, busy []uint32, affinity *uint32) (id uint32, ok bool) {
	start := 0
	for start < len(eligible) && int64(eligible[start]) <= l.last {
		start++
	}
	best := start % len(eligible)
	for step := range eligible {
		at := (start + step) % len(eligible)
		// (busy + 1) / weight, compared without a division
		if (uint64(busy[at])+1)*l.weights[eligible[best]] < (uint64(busy[best])+1)*l.weights[eligible[at]] {
			best = at
		}
	}
	l.last = int64(eligible[best])
	return eligible[best], true
}
