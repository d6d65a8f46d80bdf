// Package kubelet serves the part of a kubelet's API that kubectl needs:
// port-forward and logs. The API server is its only client.
package kubelet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"k8s.io/apimachinery/pkg/types"

	"kubia.test/sandbox/node/container"
)

// Pods is what runs on the nodes.
type Pods interface {
	// Dial connects to a port on the loopback interface of a pod.
	Dial(ctx context.Context, pod types.NamespacedName, port int32) (net.Conn, error)
	// Log returns the output of a pod's container.
	Log(pod types.NamespacedName, containerName string) (*container.Log, error)
}

// Files are the PEM files that the server needs.
type Files struct {
	Certificate, Key string
	// Client is the one certificate that is let in.
	Client string
}

// Server is the API of all nodes.
type Server struct {
	pods     Pods
	requests *RequestLog
	tls      *tls.Config
}

// NewServer reads the files.
func NewServer(pods Pods, requests *RequestLog, files Files) (*Server, error) {
	certificate, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		return nil, fmt.Errorf("load the kubelet's certificate: %w", err)
	}
	client, err := readCertificate(files.Client)
	if err != nil {
		return nil, err
	}
	return &Server{pods: pods, requests: requests, tls: &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		// Upgrades, which port-forward is, need HTTP/1.1.
		NextProtos: []string{"http/1.1"},
		ClientAuth: tls.RequireAnyClientCert,
		// One certificate is let in: comparing says it more simply than a
		// chain, and leaves out the other clients of the same authority.
		VerifyConnection: func(state tls.ConnectionState) error {
			if !bytes.Equal(state.PeerCertificates[0].Raw, client.Raw) {
				return errors.New("the client is not the API server")
			}
			return nil
		},
	}}, nil
}

func readCertificate(file string) (*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the API server's client certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", file)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	return certificate, nil
}

// Run serves one node's address until ctx is done.
func (s *Server) Run(ctx context.Context, address string) error {
	listener, err := tls.Listen("tcp", address, s.tls)
	if err != nil {
		return fmt.Errorf("listen for the API server: %w", err)
	}
	server := &http.Server{Handler: s.handler()}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", address, err)
	}
	return nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(response http.ResponseWriter, _ *http.Request) { fmt.Fprint(response, "ok") })
	mux.HandleFunc("/portForward/{namespace}/{pod}", s.portForward)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.containerLogs)
	return mux
}

func podOf(request *http.Request) types.NamespacedName {
	return types.NamespacedName{Namespace: request.PathValue("namespace"), Name: request.PathValue("pod")}
}
