package kubelet

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestRequestsAreLoggedAndGoOnUnchanged(t *testing.T) {
	const first = "GET /config_dump?mask=a HTTP/1.1\r\nHost: localhost\r\nUser-Agent: me\r\n\r\n"
	const second = "POST /quitquitquit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"
	const third = "\x16\x03\x01 no HTTP\n"
	for name, c := range map[string]struct {
		sent []string
		want []loggedRequest
	}{
		"one after the other": {[]string{first, second}, []loggedRequest{
			{Method: "GET", Path: "/config_dump?mask=a", UserAgent: "me", Sent: int64(len(first))},
			{Method: "POST", Path: "/quitquitquit", Sent: int64(len(first + second))},
		}},
		"something else": {[]string{first, third}, []loggedRequest{
			{Method: "GET", Path: "/config_dump?mask=a", UserAgent: "me", Sent: int64(len(first))},
			{Sent: int64(len(first + third))},
		}},
		"half a request": {[]string{first[:20]}, []loggedRequest{{Sent: 20}}},
		"nothing":        {nil, nil},
	} {
		var lines, arrived bytes.Buffer
		log := &RequestLog{out: &lines}
		recorder := log.newRecorder(types.NamespacedName{Namespace: "a", Name: "b"})
		var from []io.Reader
		for _, text := range c.sent {
			from = append(from, strings.NewReader(text))
		}
		recorder.copyRequests(&arrived, io.MultiReader(from...))
		if got, want := arrived.String(), strings.Join(c.sent, ""); got != want {
			t.Errorf("%s: %q arrived, not %q", name, got, want)
		}
		decoder := json.NewDecoder(&lines)
		for i, want := range c.want {
			var got loggedRequest
			if err := decoder.Decode(&got); err != nil {
				t.Fatalf("%s: line %d: %v", name, i+1, err)
			}
			want.Time, want.Pod, want.Connection = got.Time, "a/b", 1
			if got != want {
				t.Errorf("%s: line %d is %+v, not %+v", name, i+1, got, want)
			}
		}
		if decoder.More() {
			t.Errorf("%s: more lines than requests", name)
		}
	}
}

func TestAnswersAreCounted(t *testing.T) {
	var answer bytes.Buffer
	recorder := (&RequestLog{}).newRecorder(types.NamespacedName{})
	io.Copy(recorder.count(&answer), strings.NewReader("HTTP/1.1 200 OK\r\n\r\n"))
	if got := recorder.received.Load(); got != int64(answer.Len()) || got == 0 {
		t.Errorf("%d bytes of %d were counted", got, answer.Len())
	}
}
