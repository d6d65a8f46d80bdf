package apiproxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"time"

	"kubia.test/sandbox/config"
)

const garbage = "\x00\x01this is not JSON{{{"

type connectionKey struct{}
type ruleKey struct{}

// newFaultServer returns the TLS server in front of the API server.
func newFaultServer(c *config.Config, rules *Rules) (*http.Server, error) {
	certificate, err := tls.LoadX509KeyPair(c.CertFile("apiserver"), c.KeyFile("apiserver"))
	if err != nil {
		return nil, fmt.Errorf("load the proxy's certificate: %w", err)
	}
	onwards, err := newReverseProxy(c, rules)
	if err != nil {
		return nil, err
	}
	return &http.Server{
		Handler: &faultHandler{rules: rules, onwards: onwards},
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			NextProtos:   []string{"h2", "http/1.1"},
		},
		ConnContext: func(ctx context.Context, connection net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, connection)
		},
	}, nil
}

// newReverseProxy passes requests on with the caller's own credentials and unchanged encoding.
func newReverseProxy(c *config.Config, rules *Rules) (*httputil.ReverseProxy, error) {
	authority, err := os.ReadFile(c.CAFile())
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	target := &url.URL{Scheme: "https", Host: config.APIServerAddress}
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		Transport:      newTransport(roots),
		FlushInterval:  -1,
		ModifyResponse: func(response *http.Response) error { return alter(response, rules) },
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
			if r.Context().Err() != nil {
				// The client gave up this one request: its others go on.
				panic(http.ErrAbortHandler)
			}
			// A server that is gone looks like that also through the proxy.
			resetClient(r)
		},
	}, nil
}

// transport sends upgrades over HTTP/1.1, the only protocol in which Go's client can make them.
type transport struct {
	multiplexed, upgrading *http.Transport
}

func newTransport(roots *x509.CertPool) *transport {
	build := func(http2 bool) *http.Transport {
		protocols := &http.Protocols{}
		protocols.SetHTTP1(!http2)
		protocols.SetHTTP2(http2)
		return &http.Transport{
			TLSClientConfig:    &tls.Config{RootCAs: roots},
			Protocols:          protocols,
			DisableCompression: true,
			IdleConnTimeout:    time.Minute,
		}
	}
	return &transport{multiplexed: build(true), upgrading: build(false)}
}

func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Header.Get("Upgrade") != "" {
		return t.upgrading.RoundTrip(request)
	}
	return t.multiplexed.RoundTrip(request)
}

type faultHandler struct {
	rules   *Rules
	onwards http.Handler
}

func (h *faultHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rule := h.rules.match(r)
	if rule == nil {
		h.onwards.ServeHTTP(w, r)
		return
	}
	switch rule.Action {
	case Hold:
		if h.rules.hold(r.Context(), rule) {
			h.onwards.ServeHTTP(w, r)
		}
	case Delay:
		select {
		case <-time.After(time.Duration(rule.DelayMs) * time.Millisecond):
			h.onwards.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	case HoldAnswer, Truncate:
		h.onwards.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ruleKey{}, rule)))
	case Status:
		answerStatus(w, &rule.Rule)
	case Garbage:
		answerGarbage(w, &rule.Rule)
	case Reset:
		resetClient(r)
	}
}

func answerStatus(w http.ResponseWriter, rule *Rule) {
	w.Header().Set("Content-Type", "application/json")
	if rule.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(rule.RetryAfter))
	}
	w.WriteHeader(rule.Status)
	body := rule.Body
	if body == "" {
		body = fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"injected by the sandbox","code":%d}`+"\n",
			rule.Status)
	}
	_, _ = io.WriteString(w, body)
}

func answerGarbage(w http.ResponseWriter, rule *Rule) {
	w.Header().Set("Content-Type", "application/json")
	body := rule.Body
	if body == "" {
		body = garbage
	}
	_, _ = io.WriteString(w, body)
}

// resetClient cuts the whole connection with RST, also when it carries other HTTP/2 requests.
func resetClient(r *http.Request) {
	if secure, ok := r.Context().Value(connectionKey{}).(*tls.Conn); ok {
		reset(secure.NetConn())
	}
	panic(http.ErrAbortHandler)
}

// alter does to an answer what the request's rule says.
func alter(response *http.Response, rules *Rules) error {
	ctx := response.Request.Context()
	rule, _ := ctx.Value(ruleKey{}).(*active)
	switch {
	case rule == nil:
	case rule.Action == Truncate:
		response.Body = &truncatedBody{ReadCloser: response.Body, left: response.ContentLength / 2}
	case !rules.hold(ctx, rule):
		return errGone
	}
	return nil
}

var (
	errTruncated = errors.New("answer broken off on request")
	errGone      = errors.New("nobody waits for the answer any more")
)

// truncatedBody ends in an error half-way; a body of unknown length, within its first part.
type truncatedBody struct {
	io.ReadCloser
	left int64
}

func (b *truncatedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTruncated
	}
	n, err := b.ReadCloser.Read(p)
	if b.left < 0 {
		b.left = int64(n+1) / 2
	}
	if int64(n) >= b.left {
		n, b.left = int(b.left), 0
		return n, errTruncated
	}
	b.left -= int64(n)
	return n, err
}
