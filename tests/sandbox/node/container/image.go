package container

import (
	"crypto/sha256"
	"fmt"
	"path"

	"github.com/distribution/reference"
)

// Behaviour is what the sandbox runs for an image; it has no images as such.
type Behaviour int

// Behaviours.
const (
	// Unknown images cannot be pulled.
	Unknown Behaviour = iota
	// NodeJS is the official node image: it runs a JavaScript program.
	NodeJS
	// IstioProxy is an image of Istio's proxy: it runs Envoy.
	IstioProxy
)

// Image is an image reference as the runtime reports it.
type Image struct {
	// Name is the reference written out, "docker.io/library/node:22".
	Name string
	// ID is the reference with the digest it stands for.
	ID        string
	Behaviour Behaviour
}

// ParseImage reads the image of a container's spec.
func ParseImage(text string) (Image, error) {
	named, err := reference.ParseDockerRef(text)
	if err != nil {
		return Image{Name: text}, fmt.Errorf("image %q: %w", text, err)
	}
	image := Image{Name: named.String(), ID: imageID(named)}
	switch {
	case named.Name() == "docker.io/library/node":
		image.Behaviour = NodeJS
	case path.Base(named.Name()) == "proxyv2":
		image.Behaviour = IstioProxy
	}
	return image, nil
}

// imageID invents a digest, the same for the same reference, where none is given.
func imageID(named reference.Named) string {
	if _, pinned := named.(reference.Digested); pinned {
		return named.String()
	}
	return fmt.Sprintf("%s@sha256:%x", named.Name(), sha256.Sum256([]byte(named.String())))
}
