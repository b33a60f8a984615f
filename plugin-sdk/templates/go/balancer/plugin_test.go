// The tests are those of the sample, which is called least: write your own with the logic.
package main

import (
	"slices"
	"strings"
	"testing"

	"plugins.local/plugin-name/tidegate"
)

func balancer(t *testing.T) *least {
	var endpoints []tidegate.Endpoint
	for _, weight := range []uint32{100, 100, 100, 300} {
		endpoints = append(endpoints, tidegate.Endpoint{Name: "ws://192.0.2.1", Weight: weight})
	}
	l := &least{}
	if err := l.Configure("null", endpoints); err != nil {
		t.Fatal(err)
	}
	return l
}

func expect(t *testing.T, l *least, eligible, busy []uint32, want uint32) {
	t.Helper()
	if id, ok := l.Pick(eligible, busy, nil); !ok || id != want {
		t.Errorf("expected %d of %v with %v, found %d, %t", want, eligible, busy, id, ok)
	}
}

func TestLeastBusyEndpointWins(t *testing.T) {
	expect(t, balancer(t), []uint32{0, 1, 2}, []uint32{4, 1, 2}, 1)
}

func TestThreeTimesTheWeightTakesThreeTimesAsMany(t *testing.T) {
	expect(t, balancer(t), []uint32{0, 3}, []uint32{1, 4}, 3)
	expect(t, balancer(t), []uint32{0, 3}, []uint32{1, 6}, 0)
}

func TestEqualsTakeTurnsAndTheChoiceIsAnID(t *testing.T) {
	l := balancer(t)
	expect(t, l, []uint32{0, 1}, []uint32{9, 0}, 1)
	for _, want := range []uint32{2, 0, 2} {
		expect(t, l, []uint32{0, 2}, []uint32{0, 0}, want)
	}
}

func TestConfigurationIsRefused(t *testing.T) {
	if err := (&least{}).Configure(`{"zone":"a"}`, nil); err == nil || !strings.Contains(err.Error(), "zone") {
		t.Errorf("expected an error about zone, found %v", err)
	}
}

func TestConfigureWritesALineToTheLog(t *testing.T) {
	balancer(t)
	if !slices.Contains(tidegate.Lines, "info balances 4 endpoints") {
		t.Errorf("expected a line, found %q", tidegate.Lines)
	}
}
