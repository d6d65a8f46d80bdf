#!/usr/bin/env bash
# Puts into target/owners what the tests of owners need: the resource definitions of Argo CD and Flux,
# from their modules, and gojq, the jq that Argo CD has inside. All of it is pinned by go.sum.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD/../../target/owners
mkdir -p "$out"

argo_cd=github.com/argoproj/argo-cd/v3
helm_controller=github.com/fluxcd/helm-controller
kustomize_controller=github.com/fluxcd/kustomize-controller

folder_of() {
    go -C definitions list -m -f '{{.Dir}}' "$1"
}

[ -e "$out/definitions.yaml" ] || echo "owners: downloading the modules of Argo CD and Flux, 27 MB" >&2
go -C definitions mod download "$argo_cd" "$helm_controller" "$kustomize_controller"
files=(
    "$(folder_of "$argo_cd")/manifests/crds/application-crd.yaml"
    "$(folder_of "$helm_controller")/config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml"
    "$(folder_of "$kustomize_controller")/config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"
)
for file in "${files[@]}"; do
    printf -- '---\n'
    cat "$file"
done >"$out/definitions.yaml.new"
mv "$out/definitions.yaml.new" "$out/definitions.yaml"

CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$out/gojq" github.com/itchyny/gojq/cmd/gojq
