#!/usr/bin/env bash
# Builds what the tests install with, into target/krew: krew and its validator (as kubectl finds
# them), and an old kubectl. All of it is pinned by go.sum.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD/../../target/krew
mkdir -p "$out/old"

export CGO_ENABLED=0
# The module of kubectl does not know its own version.
version=$(go -C old-kubectl list -m -f '{{.Version}}' k8s.io/kubectl)
version=v1${version#v0}
flags=(-trimpath -buildvcs=false -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version")
[ -x "$out/old/kubectl" ] || echo "krew: building krew and an old kubectl; the first time takes about 2 minutes" >&2
go build "${flags[@]}" -o "$out/kubectl-krew" sigs.k8s.io/krew/cmd/krew
go build "${flags[@]}" -o "$out/validate-krew-manifest" sigs.k8s.io/krew/cmd/validate-krew-manifest
go -C old-kubectl build "${flags[@]}" -o "$out/old/kubectl" .
