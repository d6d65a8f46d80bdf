package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"

	"golang.org/x/sys/unix"

	"kubia.test/sandbox/config"
	"kubia.test/sandbox/hostnet"
	"kubia.test/sandbox/reply"
	"kubia.test/sandbox/wan"
)

// serveControl publishes the control API and serves it until the sandbox ends.
func (s *Supervisor) serveControl(context.Context) error {
	listener, err := hostnet.Listen(s.config.PublicControl())
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, s.controlHandler()) }()
	return nil
}

func (s *Supervisor) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		reply.JSON(w, http.StatusOK, s.Status(r.Context()))
	})
	mux.HandleFunc("POST /parts/{name}/{operation}", s.operate)
	mux.Handle("/load", s.load)
	mux.Handle("POST /wan", wan.NewServer())
	mux.Handle("/xds/", forward(config.NodeAgentControl))
	mux.Handle("/requests", forward(config.APIProxyControl))
	mux.Handle("/requests/", forward(config.APIProxyControl))
	return mux
}

// operate does one of the faults on parts and answers when it has taken effect.
func (s *Supervisor) operate(w http.ResponseWriter, r *http.Request) {
	p := s.part(r.PathValue("name"))
	if p == nil {
		reply.Error(w, http.StatusNotFound, fmt.Sprintf("there is no part %q", r.PathValue("name")))
		return
	}
	var err error
	switch operation := r.PathValue("operation"); operation {
	case "stop":
		err = p.signal(unix.SIGSTOP)
	case "continue":
		err = p.signal(unix.SIGCONT)
	case "kill":
		err = p.kill()
	case "restart":
		// The restart is carried through also when the caller does not wait for it.
		err = p.restart(context.WithoutCancel(r.Context()))
	default:
		reply.Error(w, http.StatusNotFound, fmt.Sprintf("there is no operation %q: use stop, continue, kill or restart", operation))
		return
	}
	switch {
	case errors.Is(err, errEnded):
		reply.Error(w, http.StatusConflict, err.Error())
	case err != nil:
		reply.Error(w, http.StatusInternalServerError, err.Error())
	default:
		reply.JSON(w, http.StatusOK, struct{}{})
	}
}

func (s *Supervisor) part(name string) *part {
	for _, p := range s.parts {
		if p.name == name {
			return p
		}
	}
	return nil
}

func forward(address string) http.Handler {
	target := &url.URL{Scheme: "http", Host: address}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			reply.Error(w, http.StatusBadGateway, err.Error())
		},
	}
}
