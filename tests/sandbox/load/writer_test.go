package load

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func call(t *testing.T, w *Writer, method, body string) (int, Status) {
	t.Helper()
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, httptest.NewRequest(method, "/load", strings.NewReader(body)))
	var status Status
	if err := json.Unmarshal(recorder.Body.Bytes(), &status); err != nil {
		t.Fatalf("%s: %v", recorder.Body, err)
	}
	return recorder.Code, status
}

func TestTheObjectIsWrittenAtTheRateAskedFor(t *testing.T) {
	client := fake.NewClientset()
	w := NewWriter(client)
	start := time.Now()
	if code, status := call(t, w, http.MethodPut, `{"writesPerSecond":200}`); code != 200 || status.WritesPerSecond != 200 {
		t.Fatalf("%d, %+v", code, status)
	}
	var status Status
	for deadline := start.Add(30 * time.Second); status.Writes < 100; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %+v", time.Since(start), status)
		}
		_, status = call(t, w, http.MethodGet, "")
	}
	// A busy machine writes less.
	took := time.Since(start)
	if most := int64(took.Seconds()*200) + 1; status.Writes > most || status.Failures != 0 {
		t.Errorf("after %s: %+v", took, status)
	}
	if code, status := call(t, w, http.MethodPut, `{"writesPerSecond":0}`); code != 200 || status != (Status{}) {
		t.Errorf("stopped: %d, %+v", code, status)
	}
	_, err := client.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the object is still there: %v", err)
	}
	done := len(client.Actions())
	time.Sleep(50 * time.Millisecond)
	if now := len(client.Actions()); now != done {
		t.Errorf("%d requests after the stop", now-done)
	}
}

func TestRatesThatMakeNoSenseAreRefused(t *testing.T) {
	client := fake.NewClientset()
	w := NewWriter(client)
	for _, body := range []string{``, `{}`, `{"writesPerSecond":-1}`, `{"writesPerSecond":1001}`, `{"writesPerSecond":"many"}`, `{"rate":5}`} {
		if code, _ := call(t, w, http.MethodPut, body); code != http.StatusBadRequest {
			t.Errorf("%s: %d", body, code)
		}
	}
	if actions := client.Actions(); len(actions) != 0 {
		t.Errorf("requests sent: %v", actions)
	}
}
