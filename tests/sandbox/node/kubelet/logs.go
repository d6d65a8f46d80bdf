package kubelet

import (
	"bytes"
	"net/http"
	"strconv"
)

// containerLogs answers `kubectl logs`, with --follow and --tail.
func (s *Server) containerLogs(response http.ResponseWriter, request *http.Request) {
	log, err := s.pods.Log(podOf(request), request.PathValue("container"))
	if err != nil {
		http.Error(response, err.Error(), http.StatusNotFound)
		return
	}
	follow, _ := strconv.ParseBool(request.FormValue("follow"))
	text, offset, more := log.Since(0)
	if lines, err := strconv.Atoi(request.FormValue("tailLines")); err == nil {
		text = tail(text, lines)
	}
	controller := http.NewResponseController(response)
	for {
		if _, err := response.Write(text); err != nil || !follow {
			return
		}
		if err := controller.Flush(); err != nil {
			return
		}
		select {
		case <-request.Context().Done():
			return
		case <-more:
		}
		text, offset, more = log.Since(offset)
	}
}

// tail returns the last lines of a text.
func tail(text []byte, lines int) []byte {
	end := len(bytes.TrimSuffix(text, []byte("\n")))
	for range lines {
		if end < 0 {
			return text
		}
		end = bytes.LastIndexByte(text[:end], '\n')
	}
	return text[end+1:]
}
