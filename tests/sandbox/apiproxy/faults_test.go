package apiproxy

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestTruncatedBodyEndsHalfWay(t *testing.T) {
	for name, c := range map[string]struct {
		left int64
		want string
	}{
		"known length":   {left: 5, want: "01234"},
		"unknown length": {left: -1, want: "01234"},
		"nothing":        {left: 0, want: ""},
	} {
		body := &truncatedBody{ReadCloser: io.NopCloser(strings.NewReader("0123456789")), left: c.left}
		got, err := io.ReadAll(body)
		if string(got) != c.want || !errors.Is(err, errTruncated) {
			t.Errorf("%s: read %q and %v, want %q and an error", name, got, err, c.want)
		}
	}
}
