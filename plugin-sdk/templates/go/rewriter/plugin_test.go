// The tests are those of the sample: write your own with the logic.
package main

import (
	"slices"
	"strings"
	"testing"

	"plugins.local/plugin-name/tidegate"
)

var mark = tidegate.AddHeader("x-rewritten-by", "plugin-name")

func expect(t *testing.T, secure bool, headers []tidegate.Field, want ...tidegate.Edit) {
	t.Helper()
	context := tidegate.Context{Secure: secure, Host: "example.com", Path: "/"}
	if found := (&cleaner{}).Rewrite(context, 200, headers); !slices.Equal(found, want) {
		t.Errorf("expected %v for %v, found %v", want, headers, found)
	}
}

func TestAsksForTheHeadersThatItRewrites(t *testing.T) {
	for config, want := range map[string][]string{
		`{"routes":[]}`:                          {"location", "server"},
		`{"remove":["X-Powered-By","location"]}`: {"location", "x-powered-by"},
	} {
		if found, err := (&cleaner{}).Configure(config); err != nil || !slices.Equal(found, want) {
			t.Errorf("expected %v of %s, found %v, %v", want, config, found, err)
		}
	}
}

func TestTakesServerOut(t *testing.T) {
	expect(t, false, []tidegate.Field{{Name: "server", Value: "x/1.0"}}, tidegate.RemoveHeader(0), mark)
}

func TestLeadsTheOwnHostToHTTPSWhereTheClientUsesIt(t *testing.T) {
	own := []tidegate.Field{{Name: "location", Value: "http://example.com/a?b=1"}}
	expect(t, true, own, tidegate.ReplaceHeader(0, "https://example.com/a?b=1"), mark)
	expect(t, false, own)
	expect(t, true, []tidegate.Field{{Name: "location", Value: "http://example.com.test/"}})
}

func TestFaultOfTheConfigurationIsRefused(t *testing.T) {
	for _, config := range []string{`[]`, `{"zone":"a"}`, `{"remove":"server"}`} {
		if _, err := (&cleaner{}).Configure(config); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("expected an error about %s, found %v", config, err)
		}
	}
}
