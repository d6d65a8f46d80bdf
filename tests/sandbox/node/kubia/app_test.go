package kubia

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"kubia.test/sandbox/node/container"
)

const tutorial = `const http = require('http');
const os = require('os');
var handler = function(request, response) {
  response.writeHead(200);
  response.end("You've hit v1 " + os.hostname() + "\n");
};
var www = http.createServer(handler);
www.listen(8080);
`

func TestParseProgram(t *testing.T) {
	tests := map[string]struct {
		words []string
		want  Program
		fails bool
	}{
		"the tutorial's":         {words: []string{"node", "-e", tutorial}, want: Program{"v1", 8080}},
		"single quotes":          {words: []string{"-e", `r.end('You\'ve hit v2 ' + h); s.listen( 9090 )`}, want: Program{"v2", 9090}},
		"no program":             {words: nil, fails: true},
		"another program":        {words: []string{"-e", "console.log(1)"}, fails: true},
		"a port that is too big": {words: []string{"-e", `"You've hit v1 "; s.listen(80800)`}, fails: true},
	}
	for name, test := range tests {
		got, err := ParseProgram(test.words)
		if got != test.want || (err != nil) != test.fails {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestAppAnswersAsItsPodAsksItTo(t *testing.T) {
	settings := container.Settings{}
	app := &App{
		Program:  Program{Version: "v1"},
		PodName:  "kubia-0",
		Log:      &bytes.Buffer{},
		Settings: func() container.Settings { return settings },
	}
	server := httptest.NewServer(app)
	defer server.Close()

	check := func(wantStatus int) {
		t.Helper()
		response, err := http.Get(server.URL + "/any/path")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != wantStatus || string(body) != "You've hit v1 kubia-0\n" {
			t.Errorf("got %d %q, want %d", response.StatusCode, body, wantStatus)
		}
	}
	check(http.StatusOK)
	settings.ErrorRate = 1
	check(http.StatusServiceUnavailable)
}
