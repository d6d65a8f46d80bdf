module kubia.test/owners/definitions

go 1.26.0

// Nothing of these is compiled: build.sh takes their resource definitions. For another version, change
// it here, empty go.sum, and run build.sh.
require (
	github.com/argoproj/argo-cd/v3 v3.4.13
	github.com/fluxcd/helm-controller v1.6.0
	github.com/fluxcd/kustomize-controller v1.9.6
)
