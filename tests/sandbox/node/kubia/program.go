// Package kubia is the tutorial's app: it answers every request with a line
// that names its version and its pod.
package kubia

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// defaultPort is where the tutorial's program listens.
const defaultPort = 8080

var (
	// greeting matches the string in the program, quotes escaped or not.
	greeting = regexp.MustCompile(`You\\?'ve hit ([A-Za-z0-9._-]+) `)
	listen   = regexp.MustCompile(`\.listen\(\s*(\d+)`)
)

// Program is what matters of the JavaScript program a container runs.
type Program struct {
	// Version is the word it answers with, "v1".
	Version string
	Port    uint16
}

// ParseProgram finds the tutorial's program in a container's command and
// arguments.
func ParseProgram(words []string) (Program, error) {
	text := strings.Join(words, "\n")
	found := greeting.FindStringSubmatch(text)
	if found == nil {
		return Program{}, errors.New("the sandbox runs only programs that answer \"You've hit VERSION \" and the pod's name: there is none in the container's command and args")
	}
	program := Program{Version: found[1], Port: defaultPort}
	if found := listen.FindStringSubmatch(text); found != nil {
		port, err := strconv.ParseUint(found[1], 10, 16)
		if err != nil {
			return Program{}, errors.New("the container's program listens on port " + found[1] + ", which does not exist")
		}
		program.Port = uint16(port)
	}
	return program, nil
}
