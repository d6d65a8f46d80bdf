package apiproxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Action is what a rule does to a request.
type Action string

// The faults.
const (
	Hold       Action = "hold"
	HoldAnswer Action = "hold-answer"
	Status     Action = "status"
	Reset      Action = "reset"
	Delay      Action = "delay"
	Truncate   Action = "truncate"
	Garbage    Action = "garbage"
)

// Rule chooses requests and says what happens to them. Empty conditions match everything.
type Rule struct {
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`
	UserAgent string `json:"userAgent,omitempty"`
	Action    Action `json:"action"`
	// Status, RetryAfter (seconds) and Body answer the request for "status"; Body also for "garbage".
	Status     int    `json:"status,omitempty"`
	RetryAfter int    `json:"retryAfter,omitempty"`
	Body       string `json:"body,omitempty"`
	DelayMs    int    `json:"delayMs,omitempty"`
	// Skip is how many requests that match pass before the rule applies.
	Skip int `json:"skip,omitempty"`
	// Times is how often the rule applies; 0 is always.
	Times int `json:"times,omitempty"`
}

// Counts tells what a rule has met: requests held now, and requests it has applied to so far.
type Counts struct {
	Held    int `json:"held"`
	Matched int `json:"matched"`
}

// active is a rule at work.
type active struct {
	Rule
	id       string
	path     *regexp.Regexp
	skipped  int
	counts   Counts
	released chan struct{}
}

// Rules are the rules in force, in the order in which they were added: the first that matches counts.
type Rules struct {
	mutex   sync.Mutex
	rules   []*active
	lastID  int
	changed chan struct{}
}

// NewRules returns an empty set of rules.
func NewRules() *Rules { return &Rules{changed: make(chan struct{})} }

// Add puts a rule in force and returns its identifier.
func (r *Rules) Add(rule Rule) (string, error) {
	if err := rule.validate(); err != nil {
		return "", err
	}
	pattern, err := regexp.Compile(rule.Path)
	if err != nil {
		return "", fmt.Errorf("path: %w", err)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.lastID++
	added := &active{Rule: rule, id: strconv.Itoa(r.lastID), path: pattern, released: make(chan struct{})}
	r.rules = append(r.rules, added)
	return added.id, nil
}

func (rule *Rule) validate() error {
	switch rule.Action {
	case Hold, HoldAnswer, Reset, Truncate, Garbage, Delay:
	case Status:
		if rule.Status < 200 || rule.Status > 599 {
			return fmt.Errorf("status %d is not an HTTP status from 200 to 599", rule.Status)
		}
	default:
		return fmt.Errorf("unknown action %q: use hold, hold-answer, status, reset, delay, truncate or garbage", rule.Action)
	}
	if rule.Skip < 0 || rule.Times < 0 || rule.DelayMs < 0 || rule.RetryAfter < 0 {
		return errors.New("skip, times, delayMs and retryAfter cannot be negative")
	}
	return nil
}

// Remove ends a rule and lets go what it holds.
func (r *Rules) Remove(id string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	i := slices.IndexFunc(r.rules, func(a *active) bool { return a.id == id })
	if i < 0 {
		return false
	}
	close(r.rules[i].released)
	r.rules = slices.Delete(r.rules, i, i+1)
	r.notify()
	return true
}

// Clear ends all rules.
func (r *Rules) Clear() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, a := range r.rules {
		close(a.released)
	}
	r.rules = nil
	r.notify()
}

// Release lets go what a rule holds now; what it matches later is held again.
func (r *Rules) Release(id string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	a := r.find(id)
	if a == nil {
		return false
	}
	close(a.released)
	a.released = make(chan struct{})
	return true
}

// Await returns a rule's counts once it holds at least so many requests, or when the time is over.
func (r *Rules) Await(ctx context.Context, id string, held int, patience time.Duration) (Counts, bool) {
	timeout := time.After(patience)
	for {
		r.mutex.Lock()
		a, changed := r.find(id), r.changed
		var counts Counts
		if a != nil {
			counts = a.counts
		}
		r.mutex.Unlock()
		if a == nil || counts.Held >= held {
			return counts, a != nil
		}
		select {
		case <-changed:
		case <-timeout:
			return counts, true
		case <-ctx.Done():
			return counts, true
		}
	}
}

// match returns the rule for a request, counted, or nil.
func (r *Rules) match(request *http.Request) *active {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, a := range r.rules {
		if !a.matches(request) {
			continue
		}
		if a.skipped < a.Skip {
			a.skipped++
			continue
		}
		a.counts.Matched++
		return a
	}
	return nil
}

func (a *active) matches(request *http.Request) bool {
	return (a.Times == 0 || a.counts.Matched < a.Times) &&
		(a.Method == "" || a.Method == request.Method) &&
		a.path.MatchString(request.URL.RequestURI()) &&
		strings.Contains(request.UserAgent(), a.UserAgent)
}

// hold returns true when the request may go on, false when its client has gone.
func (r *Rules) hold(ctx context.Context, a *active) bool {
	r.mutex.Lock()
	released := a.released
	a.counts.Held++
	r.notify()
	r.mutex.Unlock()
	defer func() {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		a.counts.Held--
	}()
	select {
	case <-released:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *Rules) find(id string) *active {
	for _, a := range r.rules {
		if a.id == id {
			return a
		}
	}
	return nil
}

// notify wakes those who wait for counts; the mutex is held.
func (r *Rules) notify() {
	close(r.changed)
	r.changed = make(chan struct{})
}
