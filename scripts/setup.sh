# shellcheck shell=sh
# Sourced by the other scripts, from the top folder: makes the environment, once, and again when what it is made of
# changes. POSIX sh; Debian and macOS.
#
#   prepare SET    SET is base, test or bench: a file of scripts/constraints, each holding what the one before it holds

say() { printf 'playground: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

prepare() {
    set_name=$1
    is_ready "$set_name" && return
    take_turn
    if ! is_ready "$set_name"; then
        install_set
        case $set_name in
        base) held="base" ;;
        test) held="base test" ;;
        *) held="base test bench" ;;
        esac
        for name in $held; do
            made_of "$name" >".venv/playground-$name"
        done
        say "ready"
    fi
    give_turn
}

# The quick answer to every later start: a comparison of two checksums, and no Python is run.
is_ready() {
    [ -f ".venv/playground-$1" ] && [ "$(cat ".venv/playground-$1")" = "$(made_of "$1")" ]
}

made_of() {
    cat pyproject.toml "scripts/constraints/$1.txt" scripts/setup.sh | cksum
}

# Two starts at once set up once: mkdir succeeds for one of them.
take_turn() {
    told=
    while ! mkdir .setup-lock 2>/dev/null; do
        holder=$(cat .setup-lock/pid 2>/dev/null || echo 0)
        if [ "$holder" != 0 ] && ! kill -0 "$holder" 2>/dev/null; then
            rm -rf .setup-lock # its holder was interrupted
            continue
        fi
        [ -n "$told" ] || say "waiting for another set-up to end"
        told=yes
        sleep 1
    done
    echo $$ >.setup-lock/pid
    trap give_turn EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

give_turn() {
    rm -rf .setup-lock
    trap - EXIT INT TERM
}

install_set() {
    say "setting up in $(pwd)/.venv"
    need_compiler
    choose_device
    if command -v uv >/dev/null 2>&1; then
        [ -x .venv/bin/python ] || uv venv --quiet --python '>=3.11' .venv
        install="uv pip install --python .venv/bin/python"
    else
        .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
        install=".venv/bin/python -m pip install --disable-pip-version-check"
    fi
    if ! .venv/bin/python -c 'import llama_cpp' >/dev/null 2>&1; then
        say "building the engine (llama-cpp-python for $device): about five minutes, once"
    fi
    log=.venv/setup.log
    # shellcheck disable=SC2086  # a command and its options
    show_life $install --quiet --require-hashes -r "scripts/constraints/$set_name.txt"
    # shellcheck disable=SC2086
    show_life $install --quiet --no-deps -e .
}

# Runs a command with its words in a log; on a terminal, a clock tells that it lives.
show_life() {
    "$@" >>"$log" 2>&1 &
    job=$!
    trap 'kill $job 2>/dev/null; exit 130' INT
    seconds=0
    while kill -0 $job 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        [ -t 2 ] && [ $seconds -gt 2 ] && printf '\rplayground: installing, %d s ' $seconds >&2
        [ ! -t 2 ] && [ $((seconds % 60)) -eq 0 ] && say "installing, $seconds s"
    done
    [ -t 2 ] && printf '\r\033[K' >&2
    wait $job || {
        tail -n 25 "$log" >&2
        fail "the installation failed; the whole log is in $(pwd)/$log. Mend what it names and start again."
    }
    trap 'exit 130' INT
}

make_venv() {
    python=
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$name
            break
        fi
    done
    [ -n "$python" ] || fail "Python 3.11 or later is needed. Debian: apt install python3 python3-venv. macOS: brew install python."
    "$python" -m venv --clear .venv >/dev/null 2>&1 && return
    install_package python3-venv "Debian: apt install python3-venv"
    "$python" -m venv --clear .venv || fail "a virtual environment could not be made with $python"
}

need_compiler() {
    if command -v c++ >/dev/null 2>&1 && command -v cc >/dev/null 2>&1; then
        return
    fi
    if [ "$(uname)" = Darwin ]; then
        fail "a compiler is needed to build the engine. Run: xcode-select --install"
    fi
    install_package "build-essential" "Debian: apt install build-essential"
}

# A Debian package, where we may; otherwise the line that says what to do.
install_package() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $1"
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1"; } >/dev/null 2>&1 && return
    fi
    fail "$1 is needed. $2"
}

# What the engine is built for: CUDA where there is a toolkit and a driver, Metal on Apple silicon, else the CPU.
choose_device() {
    device="the CPU"
    PATH=$PATH:/usr/local/cuda/bin
    if command -v nvcc >/dev/null 2>&1 && { [ -e /dev/nvidia0 ] || nvidia-smi >/dev/null 2>&1; }; then
        device="CUDA"
        CMAKE_ARGS="${CMAKE_ARGS:-} -DGGML_CUDA=on"
        export CMAKE_ARGS
    elif [ "$(uname -sm)" = "Darwin arm64" ]; then
        device="Metal"
        CMAKE_ARGS="${CMAKE_ARGS:-} -DGGML_METAL=on"
        export CMAKE_ARGS
    fi
}
