package apiproxy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func patch(path, userAgent string) *http.Request {
	request := httptest.NewRequest(http.MethodPatch, path, nil)
	request.Header.Set("User-Agent", userAgent)
	return request
}

func mustAdd(t *testing.T, rules *Rules, rule Rule) string {
	t.Helper()
	id, err := rules.Add(rule)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestRuleMatchesEveryConditionAndOnlySoOften(t *testing.T) {
	rules := NewRules()
	mustAdd(t, rules, Rule{Method: "PATCH", Path: "/virtualservices/kubia.*dryRun", UserAgent: "kubia", Action: Reset, Times: 2})
	for name, other := range map[string]*http.Request{
		"method":     httptest.NewRequest(http.MethodGet, "/virtualservices/kubia?dryRun=All", nil),
		"path":       patch("/services/kubia?dryRun=All", "kubectl-kubia"),
		"query":      patch("/virtualservices/kubia", "kubectl-kubia"),
		"user agent": patch("/virtualservices/kubia?dryRun=All", "kubectl"),
	} {
		if rules.match(other) != nil {
			t.Errorf("a request of another %s matches", name)
		}
	}
	for i, want := range []bool{true, true, false} {
		if got := rules.match(patch("/virtualservices/kubia?dryRun=All", "kubectl-kubia/1")) != nil; got != want {
			t.Errorf("request %d: matched %t, want %t", i+1, got, want)
		}
	}
}

func TestRuleSkipsAndLeavesTheSkippedToOtherRules(t *testing.T) {
	rules := NewRules()
	mustAdd(t, rules, Rule{Skip: 2, Times: 1, Action: Hold})
	mustAdd(t, rules, Rule{Skip: 1, Times: 1, Action: Reset})
	for i, want := range []Action{"", Reset, Hold, ""} {
		var got Action
		if rule := rules.match(patch("/", "")); rule != nil {
			got = rule.Action
		}
		if got != want {
			t.Errorf("request %d: got %q, want %q", i+1, got, want)
		}
	}
}

func TestOldestMatchingRuleCounts(t *testing.T) {
	rules := NewRules()
	mustAdd(t, rules, Rule{Action: Reset, Times: 1})
	mustAdd(t, rules, Rule{Action: Garbage})
	for i, want := range []Action{Reset, Garbage, Garbage} {
		if got := rules.match(patch("/", "")); got == nil || got.Action != want {
			t.Errorf("request %d: got %v, want %s", i+1, got, want)
		}
	}
}

func TestHeldRequestIsCountedUntilItIsLetGo(t *testing.T) {
	letGo := map[string]func(*Rules, string) bool{
		"release": (*Rules).Release,
		"remove":  (*Rules).Remove,
		"clear":   func(r *Rules, _ string) bool { r.Clear(); return true },
	}
	for name, end := range letGo {
		rules := NewRules()
		id := mustAdd(t, rules, Rule{Action: Hold})
		wentOn := make(chan bool)
		go func() { wentOn <- rules.hold(t.Context(), rules.match(patch("/", ""))) }()
		if counts, found := rules.Await(t.Context(), id, 1, time.Minute); !found || counts != (Counts{Held: 1, Matched: 1}) {
			t.Errorf("%s: counts %+v, found %t", name, counts, found)
		}
		if !end(rules, id) {
			t.Errorf("%s: the rule was not found", name)
		}
		if !<-wentOn {
			t.Errorf("%s: the request did not go on", name)
		}
	}
}

func TestHeldRequestEndsWithItsClient(t *testing.T) {
	rules := NewRules()
	mustAdd(t, rules, Rule{Action: Hold})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if rules.hold(ctx, rules.match(patch("/", ""))) {
		t.Error("a request without a client went on")
	}
}

func TestUnknownRulesAreNotFound(t *testing.T) {
	rules := NewRules()
	if _, found := rules.Await(t.Context(), "7", 0, 0); found || rules.Release("7") || rules.Remove("7") {
		t.Error("a rule that was never added was found")
	}
}

func TestBrokenRulesAreRefused(t *testing.T) {
	for _, rule := range []Rule{
		{}, {Action: "nope"}, {Action: Status}, {Action: Status, Status: 99}, {Action: Hold, Path: "("}, {Action: Hold, Times: -1},
		{Action: Hold, Skip: -1},
	} {
		if _, err := NewRules().Add(rule); err == nil {
			t.Errorf("%+v was accepted", rule)
		}
	}
}
