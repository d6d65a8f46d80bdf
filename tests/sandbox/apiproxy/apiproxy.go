// Package apiproxy publishes the API server on the host a second time, through a proxy that
// holds or breaks chosen requests.
package apiproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/hostnet"
	"kubia.test/sandbox/reply"
)

// A request for counts waits no longer than this.
const maxPatience = 30 * time.Second

// Run publishes the proxy's port and serves the rules' own API. It returns on failure only.
func Run(ctx context.Context, c *config.Config) error {
	rules := NewRules()
	server, err := newFaultServer(c, rules)
	if err != nil {
		return err
	}
	proxied, err := hostnet.Listen(c.PublicProxied())
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", config.APIProxyControl)
	if err != nil {
		return fmt.Errorf("listen for the proxy's rules: %w", err)
	}
	group, _ := errgroup.WithContext(ctx)
	group.Go(func() error { return server.ServeTLS(proxied, "", "") })
	group.Go(func() error { return http.Serve(control, newControl(rules)) })
	return group.Wait()
}

// newControl is the part of the sandbox's control API that is about requests.
func newControl(rules *Rules) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /requests", func(w http.ResponseWriter, r *http.Request) { addRule(w, r, rules) })
	mux.HandleFunc("GET /requests/{id}", func(w http.ResponseWriter, r *http.Request) { showRule(w, r, rules) })
	mux.HandleFunc("POST /requests/{id}/release", func(w http.ResponseWriter, r *http.Request) {
		answerFound(w, rules.Release(r.PathValue("id")))
	})
	mux.HandleFunc("DELETE /requests/{id}", func(w http.ResponseWriter, r *http.Request) {
		answerFound(w, rules.Remove(r.PathValue("id")))
	})
	mux.HandleFunc("DELETE /requests", func(w http.ResponseWriter, _ *http.Request) {
		rules.Clear()
		answerFound(w, true)
	})
	return mux
}

func addRule(w http.ResponseWriter, r *http.Request, rules *Rules) {
	var rule Rule
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rule); err != nil {
		reply.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	id, err := rules.Add(rule)
	if err != nil {
		reply.Error(w, http.StatusBadRequest, err.Error())
		return
	}
	reply.JSON(w, http.StatusOK, map[string]string{"id": id})
}

func showRule(w http.ResponseWriter, r *http.Request, rules *Rules) {
	held := 0
	if text := r.URL.Query().Get("held"); text != "" {
		var err error
		if held, err = strconv.Atoi(text); err != nil {
			reply.Error(w, http.StatusBadRequest, "held is not a number")
			return
		}
	}
	counts, found := rules.Await(r.Context(), r.PathValue("id"), held, maxPatience)
	if !found {
		answerFound(w, false)
		return
	}
	reply.JSON(w, http.StatusOK, counts)
}

func answerFound(w http.ResponseWriter, found bool) {
	if !found {
		reply.Error(w, http.StatusNotFound, "no such rule")
		return
	}
	reply.JSON(w, http.StatusOK, struct{}{})
}
