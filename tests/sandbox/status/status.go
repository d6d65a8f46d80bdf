// Package status is the answer of GET /status, shared by the supervisor and the command line.
package status

// Status tells how the sandbox is.
type Status struct {
	// Ready means that there are no problems.
	Ready         bool      `json:"ready"`
	Problems      []string  `json:"problems"`
	Parts         []Part    `json:"parts"`
	Nodes         []Node    `json:"nodes"`
	Gateways      []Gateway `json:"gateways"`
	ResidentBytes int64     `json:"residentBytes"`
	UptimeSeconds int64     `json:"uptimeSeconds"`
	// StartSeconds is how long it took from the command `up` until everything was ready.
	StartSeconds float64 `json:"startSeconds"`
}

// PartState is the state of a part's process.
type PartState string

// The states.
const (
	Running PartState = "running"
	Stopped PartState = "stopped"
	Dead    PartState = "dead"
)

// Part is one process of the sandbox; its number is that of the sandbox's own PID namespace.
type Part struct {
	Name     string    `json:"name"`
	PID      int       `json:"pid"`
	State    PartState `json:"state"`
	Restarts int       `json:"restarts"`
}

// Node is a node as the API server knows it.
type Node struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Ready   bool   `json:"ready"`
}

// Gateway is a pod of an ingress gateway.
type Gateway struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Node      string `json:"node"`
	Ready     bool   `json:"ready"`
	PodIP     string `json:"podIP"`
}
