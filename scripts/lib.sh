# shellcheck shell=bash
# What the scripts share: messages, long steps that show progress, processes that do not outlive their script.
# Sourced, never run. The caller has set -euo pipefail and stands in the project's folder.

# Python tools for tests, in an ignored folder: the foreign WebSocket client and the conformance runner.
venv=$PWD/.venv

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "scripts/$(basename "$0")" "$*" >&2
    exit 1
}

# usage_from FILE: prints the comment at the top of a script.
usage_from() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"; }

# step "What it does" COMMAND…: runs it, tells how long it took, and stops everything when it fails.
step() {
    local what=$1 start=$SECONDS code
    shift
    say "==> $what"
    # Not `if "$@"`: within a condition, bash ignores `set -e` in everything beneath.
    set +e
    (
        set -e
        "$@"
    )
    code=$?
    set -e
    if ((code != 0)); then
        say "==> FAILED after $((SECONDS - start)) s: $what" >&2
        exit "$code"
    fi
    steps+=("$(printf '%-44s %5d s' "$what" $((SECONDS - start)))")
}
steps=()

# progress COMMAND…: a build on a terminal shows its own progress line. Elsewhere (CI, a file) one line of its
# thousands is passed on every ten seconds, and everything that is not progress always.
progress() {
    if [[ -t 1 ]]; then
        "$@"
        return
    fi
    "$@" 2>&1 | {
        local line shown=-10
        while IFS= read -r line; do
            if [[ $line == \[*/*\]* ]]; then
                ((SECONDS - shown < 10)) && continue
                shown=$SECONDS
            fi
            printf '%s\n' "$line"
        done
    }
}

# is_current BINARY: it was built after the last change of any source.
is_current() {
    [[ -x $1 ]] && [[ -z $(find Package.swift Sources -newer "$1" -print -quit) ]]
}

# release_binary: builds it when it is not current, and sets `windfire` to its path.
release_binary() {
    windfire=$PWD/.build/release/windfire
    if is_current "$windfire"; then
        return
    fi
    if [[ ! -e .build/release ]]; then
        say "The first release build compiles every dependency: about ten minutes on two cores."
    fi
    step "release build" progress swift build -c release --product windfire
    # A change that altered nothing does not touch the binary; the next look shall still find it current.
    touch "$windfire"
}

# wait_for SECONDS "what" COMMAND…: polls until it succeeds.
wait_for() {
    local limit=$1 what=$2 start=$SECONDS
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS - start < limit)) || return 1
        sleep 0.1
    done
}

# free_port: prints a loopback port that was free a moment ago.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# end_process PID: asks it to end, and insists after ten seconds. For children of this script.
end_process() {
    local pid=$1
    kill -0 "$pid" 2>/dev/null || return 0
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# on_loopback_alone COMMAND…: runs it in a network namespace whose only interface is loopback: whatever it dials
# elsewhere fails at once, on every machine in the same way. Without root, a user namespace lends the right to set
# loopback up and the command runs without it. Where neither is permitted, the command runs on the machine's network.
on_loopback_alone() {
    local -a alone=(unshare --net)
    if ((EUID != 0)); then alone=(unshare --user --map-current-user --keep-caps --net); fi
    if ! "${alone[@]}" python3 -c "$loopback_up" 2>/dev/null; then
        say "No network namespace is permitted here: this runs on the machine's own network." >&2
        "$@"
        return
    fi
    local -a unprivileged=()
    if ((EUID != 0)); then unprivileged=(setpriv --ambient-caps=-all --inh-caps=-all); fi
    # shellcheck disable=SC2016  # "$1" and "$@" belong to the inner shell
    "${alone[@]}" bash -c 'python3 -c "$1" && shift && exec "$@"' bash "$loopback_up" "${unprivileged[@]}" "$@"
}
# SIOCSIFFLAGS with IFF_UP | IFF_RUNNING (netdevice(7)): ip(8) is not in every base system, Python is with bootstrap.
loopback_up='
import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 0x41))
'
