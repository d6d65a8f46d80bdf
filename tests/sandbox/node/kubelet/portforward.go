package kubelet

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// The kubelet's own defaults.
const (
	streamIdleTimeout     = 4 * time.Hour
	streamCreationTimeout = 30 * time.Second
)

// portForward speaks SPDY and WebSocket.
func (s *Server) portForward(response http.ResponseWriter, request *http.Request) {
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	forwarder := &forwarder{pods: s.pods, pod: podOf(request), requests: s.requests}
	portforward.ServePortForward(response, request, forwarder, forwarder.pod.String(), "", options,
		streamIdleTimeout, streamCreationTimeout, portforward.SupportedProtocols)
}

// forwarder connects the streams of one request to its pod.
type forwarder struct {
	pods     Pods
	pod      types.NamespacedName
	requests *RequestLog
}

// PortForward implements portforward.PortForwarder.
func (f *forwarder) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	connection, err := f.pods.Dial(ctx, f.pod, port)
	if err != nil {
		return fmt.Errorf("connect to port %d inside the pod: %w", port, err)
	}
	defer connection.Close()
	var recorder *recorder
	if port == adminPort {
		recorder = f.requests.newRecorder(f.pod)
	}
	go func() {
		recorder.copyRequests(connection, stream)
		// The program may still have something to say.
		connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(recorder.count(stream), connection)
	return err
}
