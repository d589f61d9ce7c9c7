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
    [ -f ".venv/playground-$1" ] && [ -x .venv/bin/python ] && [ "$(cat ".venv/playground-$1")" = "$(made_of "$1")" ]
}

# Changes with the packages asked for, with the folder (an environment cannot be moved) and with the Python behind it
# (its file's number and size).
made_of() {
    {
        cat pyproject.toml "scripts/constraints/build.txt" "scripts/constraints/$1.txt" scripts/setup.sh
        pwd -P
        # shellcheck disable=SC2012,SC2046  # the fields of one known name
        (set -- $(ls -niL .venv/bin/python) && echo "$1 $6")
    } | cksum
}

# Two starts at once set up once: mkdir succeeds for one of them. A lock that nobody holds any more was left by an
# interrupted set-up; it is moved aside first, which again succeeds for one only.
take_turn() {
    told=
    nameless=0
    while ! mkdir .setup-lock 2>/dev/null; do
        [ -w . ] || fail "$(pwd) cannot be written to, and the environment is made in it"
        holder=$(cat .setup-lock/pid 2>/dev/null) || holder=
        [ -n "$holder" ] || nameless=$((nameless + 1))
        if [ $nameless -gt 3 ] || { [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; }; then
            mv .setup-lock ".setup-lock-$$" 2>/dev/null && rm -rf ".setup-lock-$$"
            nameless=0
            continue
        fi
        [ -n "$told" ] || [ -z "$holder" ] || say "waiting for another set-up to end"
        told=$holder
        sleep 1
    done
    echo $$ >.setup-lock/pid
    job=
    trap give_turn EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

give_turn() {
    [ -z "$job" ] || end_job
    rm -rf .setup-lock
    trap - EXIT INT TERM HUP
}

# Ends the installer and all that it started: a compiler would go on for minutes.
end_job() {
    family=$(ps -Ao pid=,ppid= 2>/dev/null | awk -v top="$job" '
        { parent[$1] = $2 }
        END { for (p in parent) { q = p; while (q > 1 && q != top) q = parent[q]; if (q == top) print p } }') || true
    # shellcheck disable=SC2086  # numbers
    kill $job $family 2>/dev/null || true
}

install_set() {
    say "setting up in $(pwd)/.venv"
    need_compiler
    choose_device
    make_environment
    log=.venv/setup.log
    : >"$log"
    if ! .venv/bin/python -c 'import llama_cpp' >/dev/null 2>&1; then
        say "building the engine (llama-cpp-python for $device): about five minutes, once"
    fi
    # The tools that build are pinned and hashed as well, so nothing may be fetched beside them.
    PATH="$(pwd)/.venv/bin:$PATH"
    touch .venv/playground-unfinished
    install_packages --require-hashes -r scripts/constraints/build.txt
    install_packages --require-hashes --no-build-isolation -r "scripts/constraints/$set_name.txt"
    install_packages --no-deps --no-build-isolation -e .
    rm .venv/playground-unfinished
}

# An environment in which an installation was cut off is not trusted: it is made anew.
make_environment() {
    [ ! -e .venv/playground-unfinished ] || rm -rf .venv
    if command -v uv >/dev/null 2>&1; then
        with=uv
        [ -x .venv/bin/python ] || uv venv --quiet --clear --python '>=3.11' .venv ||
            fail "uv could not make an environment; what it says is above"
    else
        with=pip
        .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
    fi
    rm -f .venv/playground-base .venv/playground-test .venv/playground-bench
}

# Runs the installer with its words in a log; a clock tells that it lives. It has no part in the terminal's Ctrl-C: we
# end it ourselves, and know it.
install_packages() {
    case $with in
    uv) uv pip install --python .venv/bin/python --quiet "$@" >>"$log" 2>&1 & ;;
    *) .venv/bin/python -m pip --disable-pip-version-check install --quiet "$@" >>"$log" 2>&1 & ;;
    esac
    job=$!
    seconds=0
    while kill -0 $job 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        if [ -t 2 ]; then
            [ $seconds -le 2 ] || printf '\rplayground: installing, %d s ' $seconds >&2
        elif [ $((seconds % 60)) -eq 0 ]; then
            say "installing, $seconds s"
        fi
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
    if wait $job; then
        job=
        return
    fi
    job=
    rm .venv/playground-unfinished # the installer ended by itself, and left things in order
    tail -n 25 "$log" >&2
    fail "the installation failed; the whole log is $(pwd)/$log. Mend what it names and start again."
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
    if [ "$(uname)" = Darwin ]; then
        # /usr/bin/cc is there without the tools too, and would only ask for them in a window.
        xcode-select -p >/dev/null 2>&1 || fail "a compiler is needed to build the engine. Run: xcode-select --install"
        return
    fi
    if command -v c++ >/dev/null 2>&1 && command -v cc >/dev/null 2>&1; then
        return
    fi
    install_package build-essential "Debian: apt install build-essential"
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
