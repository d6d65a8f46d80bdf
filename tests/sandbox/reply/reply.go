// Package reply answers requests to the control API in JSON.
package reply

import (
	"encoding/json"
	"net/http"
)

// JSON answers with a body.
func JSON(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// Error answers with what went wrong.
func Error(w http.ResponseWriter, code int, text string) {
	JSON(w, code, map[string]string{"error": text})
}
