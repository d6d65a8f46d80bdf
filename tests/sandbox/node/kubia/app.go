package kubia

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"kubia.test/sandbox/node/container"
)

// App runs a Program in a pod. It implements container.Program.
type App struct {
	Program Program
	PodName string
	Log     io.Writer
	// Listen opens a listener in the pod's network namespace.
	Listen func(ctx context.Context, network, address string) (net.Listener, error)
	// Settings returns the faults asked for at the moment.
	Settings func() container.Settings
}

// Run serves until stop is done, then finishes the requests under way.
func (a *App) Run(stop, kill context.Context, ready func(bool)) container.Exit {
	fmt.Fprintln(a.Log, "Kubia server starting...")
	listener, err := a.Listen(stop, "tcp", fmt.Sprintf(":%d", a.Program.Port))
	if err != nil {
		fmt.Fprintln(a.Log, err)
		return container.Failed
	}
	server := &http.Server{Handler: a}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	ready(true)
	defer server.Close()

	select {
	case err := <-served:
		fmt.Fprintln(a.Log, err)
		return container.Failed
	case <-kill.Done():
		return container.Killed
	case <-stop.Done():
	}
	if err := server.Shutdown(kill); errors.Is(err, context.Canceled) {
		return container.Killed
	}
	return container.Completed
}

// ServeHTTP answers any path, as well as the pod's annotations let it.
func (a *App) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	client, _, _ := net.SplitHostPort(request.RemoteAddr)
	fmt.Fprintln(a.Log, "Received request from", client)

	settings := a.Settings()
	if settings.Latency > 0 {
		select {
		case <-time.After(settings.Latency):
		case <-request.Context().Done():
			return
		}
	}
	if rand.Float64() < settings.ErrorRate {
		response.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprintf(response, "You've hit %s %s\n", a.Program.Version, a.PodName)
}
