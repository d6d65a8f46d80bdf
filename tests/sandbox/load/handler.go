package load

import (
	"encoding/json"
	"fmt"
	"net/http"

	"kubia.test/sandbox/reply"
)

// ServeHTTP answers GET with the status and lets PUT change the rate: {"writesPerSecond":100}.
func (w *Writer) ServeHTTP(response http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		reply.JSON(response, http.StatusOK, w.Status())
	case http.MethodPut:
		w.change(response, r)
	default:
		response.Header().Set("Allow", "GET, PUT")
		reply.Error(response, http.StatusMethodNotAllowed, "use GET or PUT")
	}
}

func (w *Writer) change(response http.ResponseWriter, r *http.Request) {
	wanted := struct {
		WritesPerSecond *int `json:"writesPerSecond"`
	}{}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		reply.Error(response, http.StatusBadRequest, err.Error())
		return
	}
	if wanted.WritesPerSecond == nil || *wanted.WritesPerSecond < 0 || *wanted.WritesPerSecond > MaxRate {
		reply.Error(response, http.StatusBadRequest, fmt.Sprintf("writesPerSecond must be 0 to %d", MaxRate))
		return
	}
	status, err := w.Set(r.Context(), *wanted.WritesPerSecond)
	if err != nil {
		reply.Error(response, http.StatusInternalServerError, err.Error())
		return
	}
	reply.JSON(response, http.StatusOK, status)
}
