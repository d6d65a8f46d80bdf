package kubelet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// adminPort is where Envoy answers questions and takes orders.
const adminPort = 15000

// RequestLog has a line for each HTTP request that port-forwards bring to admin
// ports, written before the request goes on.
type RequestLog struct {
	mu             sync.Mutex
	out            io.Writer
	lastConnection int
}

// loggedRequest is one line.
type loggedRequest struct {
	Time       time.Time `json:"time"`
	Pod        string    `json:"pod"`
	Connection int       `json:"connection"`
	// Method is empty for what is not HTTP.
	Method    string `json:"method"`
	Path      string `json:"path"`
	UserAgent string `json:"userAgent"`
	// Sent and Received are the client's bytes on this connection: with this
	// request, and before its answer.
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
}

// NewRequestLog appends to a file.
func NewRequestLog(file string) (*RequestLog, error) {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of admin requests: %w", err)
	}
	return &RequestLog{out: out}, nil
}

func (l *RequestLog) write(line loggedRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	encoder := json.NewEncoder(l.out)
	encoder.SetEscapeHTML(false)
	encoder.Encode(line)
}

func (l *RequestLog) newRecorder(pod types.NamespacedName) *recorder {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastConnection++
	return &recorder{log: l, pod: pod.String(), connection: l.lastConnection}
}

// recorder logs the requests of one connection. A nil one logs nothing.
type recorder struct {
	log        *RequestLog
	pod        string
	connection int
	sent       int64
	received   atomic.Int64
}

// copyRequests copies until either side ends. Requests that are sent before the
// last one was answered may go on before they are logged.
func (r *recorder) copyRequests(to io.Writer, from io.Reader) {
	if r == nil {
		io.Copy(to, from)
		return
	}
	var pending bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(from, &pending))
	for {
		request, err := http.ReadRequest(reader)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if pending.Len() == 0 {
			return
		}
		r.sent += int64(pending.Len())
		line := loggedRequest{
			Time: time.Now(), Pod: r.pod, Connection: r.connection, Sent: r.sent, Received: r.received.Load(),
		}
		if err == nil {
			line.Method, line.Path, line.UserAgent = request.Method, request.RequestURI, request.UserAgent()
		}
		r.log.write(line)
		if _, written := pending.WriteTo(to); written != nil {
			return
		}
		if err != nil {
			io.Copy(to, from)
			return
		}
	}
}

// count returns a writer for what the client receives.
func (r *recorder) count(to io.Writer) io.Writer {
	if r == nil {
		return to
	}
	return &countingWriter{Writer: to, count: &r.received}
}

type countingWriter struct {
	io.Writer
	count *atomic.Int64
}

func (w *countingWriter) Write(data []byte) (int, error) {
	w.count.Add(int64(len(data)))
	return w.Writer.Write(data)
}
