// The tests are those of the sample: write your own with the logic.
package main

import (
	"reflect"
	"strings"
	"testing"

	"plugins.local/plugin-name/tidegate"
)

func router(t *testing.T, config string) *byPath {
	r := &byPath{}
	if err := r.Configure(config, []string{"web", "chat"}); err != nil {
		t.Fatal(err)
	}
	return r
}

func expect(t *testing.T, r *byPath, host, path string, want tidegate.Decision) {
	t.Helper()
	if found := r.Route(tidegate.RequestLine{Method: "GET", Host: host, Path: path}); !reflect.DeepEqual(found, want) {
		t.Errorf("expected %v for %s%s, found %v", want, host, path, found)
	}
}

func TestFirstSegmentOfThePathNamesTheCluster(t *testing.T) {
	r := router(t, "null")
	expect(t, r, "example.com", "/chat/room", tidegate.Forward(1))
	expect(t, r, "example.com", "/web", tidegate.Forward(0))
}

func TestConfiguredHostComesBeforeThePath(t *testing.T) {
	r := router(t, `{"hosts":{"Chat.example.com":"chat"}}`)
	expect(t, r, "chat.example.com", "/web", tidegate.Forward(1))
}

func TestAnythingElseIsUnmatched(t *testing.T) {
	r := router(t, `{"routes":[]}`)
	expect(t, r, "example.com", "/", tidegate.Unmatched())
	expect(t, r, "example.com", "/chats", tidegate.Unmatched())
}

func TestFaultOfTheConfigurationIsRefused(t *testing.T) {
	for _, config := range []string{`[]`, `{"host":1}`, `{"hosts":1}`, `{"hosts":{"a.example":"cha"}}`} {
		if err := (&byPath{}).Configure(config, []string{"chat"}); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("expected an error about %s, found %v", config, err)
		}
	}
}
