#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the image and proves it, without a registry and without a daemon: the
# base image comes from debootstrap. A value is written and the server stopped
# (it must save and exit with 0); a second container on the same volume reads
# the value back and is killed; a third reads it again.
#
# Images stay, so that the next run is fast; containers and the volume go.
# Needs root, podman, buildah, runc and debootstrap (./dev container).
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BASE=docker.io/library/debian:bookworm-slim
IMAGE=localhost/varkeep:latest
NAME=varkeep-test-$$
PORT=7700
READY_SECONDS=60
ROOTFS=

main() {
  trap clean_up EXIT
  require_what_is_needed
  podman image exists "$BASE" || make_base_image
  build_image
  start first
  check_container first
  write_values first
  stop_and_check_exit first
  start second
  check_values second
  save_and_kill second
  start third
  check_values third
  check_saved_value third
  stop_and_check_exit third
  echo "container test: passed"
}

require_what_is_needed() {
  local tool
  ((EUID == 0)) || fail "needs root, to make the base image and run it"
  for tool in podman buildah runc debootstrap; do
    command -v "$tool" >/dev/null || fail "$tool is not installed"
  done
  ! port_is_taken || fail "something listens on port $PORT already"
}

port_is_taken() { (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

# --- the image --------------------------------------------------------------

make_base_image() {
  local mirror extra=()
  step "make $BASE with debootstrap"
  debian_sources | grep -q . || apt-get update -qq
  mirror=$(debian_sources 'Codename: bookworm' | awk '{print $2; exit}')
  [[ -n $mirror ]] || fail "apt has no source of Debian bookworm here"
  if debian_sources | grep -q '^deb https:'; then
    extra=(--include=ca-certificates)
  fi
  ROOTFS=$(mktemp -d)
  debootstrap --variant=minbase "${extra[@]}" bookworm "$ROOTFS" "$mirror" \
    >"$ROOTFS.log" || { tail -n 20 "$ROOTFS.log"; fail "debootstrap failed"; }
  use_apt_as_here
  tar -C "$ROOTFS" -c . | podman import --quiet - "$BASE"
}

debian_sources() {  # [FILTER]: lines for sources.list
  apt-get indextargets \
    --format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
    'Created-By: Packages' 'Origin: Debian' "$@" | sort -u
}

# The image's build installs packages from where this machine gets them.
use_apt_as_here() {
  debian_sources >"$ROOTFS/etc/apt/sources.list"
  apt-config dump | grep -E '^Acquire::(https?|Check|Retries)' \
    >"$ROOTFS/etc/apt/apt.conf.d/90-as-outside" || true
  if [[ -d $ROOTFS/etc/ssl/certs ]]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$ROOTFS/etc/ssl/certs/"
  fi
}

build_image() {
  step "build $IMAGE"
  podman build --isolation=chroot --format docker \
    -f "$ROOT/docker/Dockerfile" -t "$IMAGE" "$ROOT"
  podman image inspect --format \
    '{{.Config.User}} {{.Config.StopSignal}} {{.Config.Healthcheck.Test}} {{.Config.Volumes}}' \
    "$IMAGE" | grep -qxF \
    '65532:65532 SIGTERM [CMD varkeep health] map[/data:{}]' ||
    fail "the image lacks its user, stop signal, health check or volume"
  podman image inspect --format 'image size: {{.Size}} bytes' "$IMAGE"
}

# --- the container ----------------------------------------------------------

start() {  # WHICH
  step "start the $1 container"
  podman --runtime runc run -d --name "$NAME-$1" \
    --network=host --no-healthcheck --ulimit nofile=1024:1024 \
    --ulimit nproc=1000:1000 --read-only --cap-drop ALL \
    -v "$NAME:/data" "$IMAGE" >/dev/null
  local second
  for ((second = 0; second < READY_SECONDS; second++)); do
    if inside "$1" varkeep health >/dev/null 2>&1; then return; fi
    [[ $(state "$1" Running) == true ]] || break
    sleep 1
  done
  podman logs "$NAME-$1" 2>&1 | tail -n 30
  fail "the $1 container is not healthy"
}

check_container() {  # WHICH
  step "health, user, file system"
  inside "$1" varkeep health
  [[ $(inside "$1" id -u) == 65532 ]] || fail "the user is not 65532"
  local pid
  pid=$(state "$1" Pid)
  [[ $(stat -c %u "/proc/$pid") == 65532 ]] ||
    fail "varkeepd runs as $(stat -c %u "/proc/$pid"), not as 65532"
  ! inside "$1" touch /usr/local/bin/x 2>/dev/null ||
    fail "the container's root is writable"
  inside "$1" ls -ldn /data
}

write_values() {  # WHICH
  step "write a value"
  inside "$1" varkeep create kept --dtype float32 --shape 3
  inside "$1" varkeep set kept 1.5 -2 3
  EXPECTED=$(inside "$1" varkeep get kept)
  echo "kept = $EXPECTED"
  [[ $EXPECTED == *1.5*-2*3* ]] || fail "the value is not what was written"
}

check_values() {  # WHICH
  step "read the value back"
  local value
  value=$(inside "$1" varkeep get kept)
  echo "kept = $value"
  [[ $value == "$EXPECTED" ]] || fail "expected $EXPECTED"
}

# varkeepd is the container's first process: what stop signals is what saves.
stop_and_check_exit() {  # WHICH
  step "stop the $1 container"
  podman stop --time 60 "$NAME-$1" >/dev/null
  podman logs "$NAME-$1" 2>&1 | tail -n 3
  [[ $(state "$1" ExitCode) == 0 ]] ||
    fail "it ended with $(state "$1" ExitCode), not with 0"
}

save_and_kill() {  # WHICH
  step "save on request, then kill the $1 container"
  inside "$1" varkeep create saved --dtype int64 --shape ''
  inside "$1" varkeep set saved 42
  inside "$1" varkeep save
  podman kill --signal KILL "$NAME-$1" >/dev/null
  podman wait "$NAME-$1" >/dev/null
  [[ $(state "$1" ExitCode) == 137 ]] || fail "it was not killed"
}

check_saved_value() {  # WHICH
  [[ $(inside "$1" varkeep get saved) == 42 ]] ||
    fail "the value saved on request is lost"
}

inside() {  # WHICH COMMAND...
  local which=$1
  shift
  podman exec "$NAME-$which" "$@"
}

state() {  # WHICH FIELD
  podman inspect --format "{{.State.$2}}" "$NAME-$1"
}

# --- talking and cleaning ---------------------------------------------------

step() { printf '==> %s\n' "$*"; }

fail() {
  printf '\ncontainer test: FAILED: %s\n' "$*" >&2
  exit 1
}

clean_up() {
  local which
  for which in first second third; do
    if podman container exists "$NAME-$which" 2>/dev/null; then
      podman rm --force --time 5 "$NAME-$which" >/dev/null || true
    fi
  done
  if podman volume exists "$NAME" 2>/dev/null; then
    podman volume rm --force "$NAME" >/dev/null || true
  fi
  [[ -z $ROOTFS ]] || rm -rf "$ROOTFS" "$ROOTFS.log"
}

main "$@"
