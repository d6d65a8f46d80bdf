package xds

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Relays are the relays of all gateway pods. It serves the control API:
// GET and PUT /xds/NAMESPACE/POD.
type Relays struct {
	listenOn netip.Addr
	upstream string
	mux      *http.ServeMux

	mu     sync.Mutex
	relays map[types.NamespacedName]*Relay
}

// NewRelays returns an empty set of relays that listen on one address and lead
// to istiod's xDS address.
func NewRelays(listenOn netip.Addr, upstream string) *Relays {
	relays := &Relays{
		listenOn: listenOn,
		upstream: upstream,
		mux:      http.NewServeMux(),
		relays:   make(map[types.NamespacedName]*Relay),
	}
	relays.mux.HandleFunc("GET /xds/{namespace}/{pod}", relays.show)
	relays.mux.HandleFunc("PUT /xds/{namespace}/{pod}", relays.change)
	return relays
}

// Open makes the relay of a pod.
func (r *Relays) Open(pod types.NamespacedName) (*Relay, error) {
	relay, err := newRelay(r.listenOn, r.upstream)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.relays[pod] = relay
	return relay, nil
}

// Close ends the relay of a pod.
func (r *Relays) Close(pod types.NamespacedName, relay *Relay) {
	relay.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	// A pod of the same name may have come since.
	if r.relays[pod] == relay {
		delete(r.relays, pod)
	}
}

// ServeHTTP implements http.Handler.
func (r *Relays) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	r.mux.ServeHTTP(response, request)
}

func (r *Relays) show(response http.ResponseWriter, request *http.Request) {
	if relay := r.find(response, request); relay != nil {
		answer(response, relay)
	}
}

func (r *Relays) change(response http.ResponseWriter, request *http.Request) {
	relay := r.find(response, request)
	if relay == nil {
		return
	}
	var fault Fault
	decoder := json.NewDecoder(http.MaxBytesReader(response, request.Body, 1<<16))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&fault); err != nil {
		http.Error(response, "read the fault: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := fault.validate(); err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	if err := relay.SetFault(fault); err != nil {
		http.Error(response, err.Error(), http.StatusConflict)
		return
	}
	answer(response, relay)
}

// find returns the relay a request names, or answers 404.
func (r *Relays) find(response http.ResponseWriter, request *http.Request) *Relay {
	pod := types.NamespacedName{Namespace: request.PathValue("namespace"), Name: request.PathValue("pod")}
	r.mu.Lock()
	relay := r.relays[pod]
	r.mu.Unlock()
	if relay == nil {
		http.Error(response, fmt.Sprintf("no gateway pod %s is running", pod), http.StatusNotFound)
	}
	return relay
}

func answer(response http.ResponseWriter, relay *Relay) {
	response.Header().Set("Content-Type", "application/json")
	json.NewEncoder(response).Encode(relay.Fault())
}
