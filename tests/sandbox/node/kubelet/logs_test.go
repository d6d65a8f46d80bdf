package kubelet

import "testing"

func TestTail(t *testing.T) {
	tests := []struct {
		text  string
		lines int
		want  string
	}{
		{"a\nb\nc\n", 2, "b\nc\n"},
		{"a\nb\nc", 1, "c"},
		{"a\nb\n", 2, "a\nb\n"},
		{"a\nb\n", 5, "a\nb\n"},
		{"a\nb\n", 0, ""},
		{"", 3, ""},
	}
	for _, test := range tests {
		if got := string(tail([]byte(test.text), test.lines)); got != test.want {
			t.Errorf("last %d lines of %q: got %q, want %q", test.lines, test.text, got, test.want)
		}
	}
}
