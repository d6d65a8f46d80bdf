package apiproxy

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAnswerIsHeldUntilItIsLetGoOrNobodyWaits(t *testing.T) {
	rules := NewRules()
	id := mustAdd(t, rules, Rule{Action: HoldAnswer})
	answer := func(ctx context.Context) error {
		response := httptest.NewRecorder().Result()
		request := patch("/", "")
		rule := rules.match(request)
		response.Request = request.WithContext(context.WithValue(ctx, ruleKey{}, rule))
		return alter(response, rules)
	}
	done := make(chan error)
	go func() { done <- answer(t.Context()) }()
	rules.Await(t.Context(), id, 1, time.Minute)
	rules.Release(id)
	if err := <-done; err != nil {
		t.Errorf("a released answer: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := answer(ctx); !errors.Is(err, errGone) {
		t.Errorf("an answer without a client: %v", err)
	}
}

func TestTruncatedBodyEndsHalfWay(t *testing.T) {
	for name, c := range map[string]struct {
		left int64
		want string
	}{
		"known length":   {left: 5, want: "01234"},
		"unknown length": {left: -1, want: "01234"},
		"nothing":        {left: 0, want: ""},
	} {
		body := &truncatedBody{ReadCloser: io.NopCloser(strings.NewReader("0123456789")), left: c.left}
		got, err := io.ReadAll(body)
		if string(got) != c.want || !errors.Is(err, errTruncated) {
			t.Errorf("%s: read %q and %v, want %q and an error", name, got, err, c.want)
		}
	}
}
