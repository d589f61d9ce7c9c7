# shellcheck shell=sh
# Sourced by the other scripts, from the top folder: makes the environment, once, and again when what it is made of
# changes. POSIX sh; Debian and macOS.
#
#   prepare_extras    makes .venv-extras beside it: PyTorch and what needs it
#   prepare SET    SET is base, test or bench: a file of scripts/constraints, each holding what the one before it holds

say() { printf 'playground: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

prepare() {
    set_name=$1
    if is_ready "$set_name"; then return; fi
    take_turn
    if ! is_ready "$set_name"; then make_ready; fi
    give_turn
}

# The quick answer to every later start: a comparison of two checksums, and no Python is run.
is_ready() {
    [ -x .venv/bin/python ] && [ -x .venv/bin/playground ] && [ -f ".venv/playground-$1" ] &&
        [ "$(cat ".venv/playground-$1")" = "$(made_of "$1")" ]
}

# Changes with the packages asked for, with the folder (an environment cannot be moved) and with the Python behind it
# (its file's number and size).
made_of() {
    {
        cat pyproject.toml scripts/setup.sh scripts/constraints/build.txt "scripts/constraints/$1.txt"
        pwd -P
        # shellcheck disable=SC2012,SC2046  # the fields of one known name
        (set -- $(ls -niL .venv/bin/python) && echo "$1 $6")
    } | cksum
}

# Two starts at once set up once. The kernel gives the lock back however its holder ends, and not before what the
# holder started has ended too.
take_turn() {
    [ -w . ] || fail "$(pwd) cannot be written to, and the environment belongs in it"
    mkdir -p .cache
    exec 9>.cache/setup-lock
    if ! lock_file -n; then
        say "waiting for another set-up to end"
        lock_file || fail "the lock $(pwd)/.cache/setup-lock could not be taken"
    fi
}

give_turn() { exec 9>&-; }

lock_file() {
    if command -v flock >/dev/null 2>&1; then
        flock "$@" 9
    else # macOS has no flock command
        perl -e 'use Fcntl ":flock"; open(my $f, ">&=", 9) or exit 1; exit !flock($f, LOCK_EX | (@ARGV ? LOCK_NB : 0))' -- "$@"
    fi
}

make_ready() {
    say "setting up in $(pwd)/.venv"
    need_compiler
    choose_device
    make_environment
    log=.venv/setup.log
    : >"$log"
    if uses_uv; then
        install="uv pip install --python .venv/bin/python --no-deps --no-build-isolation"
    else
        install=".venv/bin/python -m pip install --disable-pip-version-check --no-input --no-deps --no-build-isolation"
    fi
    touch .venv/playground-unfinished
    # Built with pinned tools, not with whatever is newest on the day; hence no build isolation.
    # shellcheck disable=SC2086  # a command and its options
    run_step "installing build tools" $install --require-hashes -r scripts/constraints/build.txt
    build_engine
    # shellcheck disable=SC2086
    run_step "installing packages" $install --require-hashes -r "scripts/constraints/$set_name.txt"
    # shellcheck disable=SC2086
    run_step "installing Playground" $install -e .
    want_portaudio
    rm .venv/playground-unfinished
    case $set_name in
    base) held="base" ;;
    test) held="base test" ;;
    *) held="base test bench" ;;
    esac
    for name in $held; do
        made_of "$name" >".venv/playground-$name"
    done
    say "ready"
}

# Dictation alone needs it, so that nothing fails without it. The package for macOS brings its own.
want_portaudio() {
    if [ "$(uname)" != Linux ] || .venv/bin/python -c 'import sounddevice' 2>/dev/null; then return; fi
    if may_install && (install_package libportaudio2); then return; fi
    say "dictation needs PortAudio, which is not here. Debian: apt install libportaudio2. Fedora: dnf install portaudio"
}

# What needs PyTorch, in .venv-extras, which sees the packages of .venv as well: so those are neither fetched nor built
# again, and PyTorch is not seen by what does not ask for it.
prepare_extras() {
    if is_ready_extras; then return; fi
    take_turn
    if ! is_ready_extras; then make_extras; fi
    give_turn
}

is_ready_extras() {
    [ -x .venv-extras/bin/python ] && [ -f .venv-extras/playground-extras ] &&
        [ "$(cat .venv-extras/playground-extras)" = "$(made_of extras)" ]
}

make_extras() {
    say "setting up in $(pwd)/.venv-extras: PyTorch, about two minutes, 1.5 GB"
    device="the CPU"
    log=.venv/setup-extras.log
    : >"$log"
    rm -rf .venv-extras
    .venv/bin/python -m venv --without-pip .venv-extras || fail "the environment of the extras could not be made"
    for packages in .venv-extras/lib/python*/site-packages; do
        .venv/bin/python -c 'import sys, sysconfig
print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' >"$packages/playground-base.pth"
    done
    run_step "installing the extras" .venv/bin/python -m pip --python .venv-extras/bin/python install --no-input \
        --disable-pip-version-check --no-deps --no-build-isolation --require-hashes -r scripts/constraints/extras.txt
    .venv-extras/bin/python -c 'import torch' >>"$log" 2>&1 ||
        fail "PyTorch does not work; see $(pwd)/$log. A build for the CPU is needed: PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL can say where one is."
    made_of extras >.venv-extras/playground-extras
    say "ready"
}

# The engine by itself and first: it takes nearly all of the time, and a set-up interrupted later finds it done.
build_engine() {
    awk '/^llama-cpp-python==/ { on = 1 } on { print; if ($0 !~ /\\$/) exit }' scripts/constraints/base.txt >.venv/engine.txt
    version=$(sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' .venv/engine.txt)
    for found in .venv/lib/python*/site-packages/llama_cpp_python-"$version".dist-info; do
        if [ -d "$found" ]; then return; fi
    done
    say "building the engine (llama-cpp-python $version for $device): $minutes, once"
    verbose=-v # the compiler's progress, to be read from the log
    if uses_uv; then verbose=; fi
    # shellcheck disable=SC2086
    run_step "building the engine" $install $verbose $no_cache --require-hashes -r .venv/engine.txt
}

# Runs a command with its words in a log; a clock tells that it lives. It has a process group of its own, so that all
# that it started ends with it: a compiler would go on for minutes.
run_step() {
    step=$1
    shift
    began=$(date +%s)
    told=0
    .venv/bin/python -c 'import os, signal, sys
os.setsid()
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' "$@" </dev/null >>"$log" 2>&1 &
    job=$!
    trap 'end_job 130' INT
    trap 'end_job 143' TERM HUP
    while kill -0 $job 2>/dev/null; do
        sleep 1
        show_life
    done
    trap - INT TERM HUP
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    if wait $job; then
        say "$step: $(($(date +%s) - began)) s"
        return
    fi
    rm -f .venv/playground-unfinished # the installer ended by itself, and left things in order
    if is_offline; then
        fail "$step failed: the package index gave nothing. The first set-up needs the network: connect, or mend pip's index settings, and start again; it goes on from here. What pip said: $(pwd)/$log"
    fi
    tail -n 25 "$log" >&2
    [ "$device" != CUDA ] || say "to build for the CPU instead: CMAKE_ARGS=-DGGML_CUDA=off scripts/playground"
    fail "$step failed; the whole log is $(pwd)/$log. Mend what it names and start again."
}

# pip says "from versions: none" of an index that it cannot reach; why, it says only where it is told to try again.
is_offline() {
    tail -n 40 "$log" | grep -qE "from versions: none|Failed to establish a new connection|NewConnectionError|Network is unreachable|\
Name or service not known|Temporary failure in name resolution|nodename nor servname|Failed to resolve|ConnectTimeout|\
dns error|error sending request|[Cc]onnection refused"
}

show_life() {
    seconds=$(($(date +%s) - began))
    files=$(tail -n 20 "$log" | sed -n 's/^ *\[\([0-9]*\)\/\([0-9]*\)\] .*/, \1 of \2 files/p' | tail -n 1)
    if [ -t 2 ]; then
        printf '\r\033[Kplayground: %s, %d s%s' "$step" $seconds "$files" >&2
    elif [ $((seconds / 30)) -gt "$told" ]; then
        told=$((seconds / 30))
        say "$step, $seconds s$files"
    fi
}

end_job() {
    trap '' INT TERM HUP
    kill -INT "-$job" 2>/dev/null || : # as by Ctrl-C: pip then clears away what it unpacked
    waited=0
    while [ $waited -lt 5 ] && kill -0 "-$job" 2>/dev/null; do
        sleep 1
        waited=$((waited + 1))
    done
    kill -KILL "-$job" 2>/dev/null || :
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    say "interrupted; the next start goes on"
    exit "$1"
}

uses_uv() { command -v uv >/dev/null 2>&1; }

# Kept if it works: made anew where an installation was cut off, the folder was moved or the Python behind it is gone.
make_environment() {
    if [ ! -e .venv/playground-unfinished ] &&
        .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
        grep -qF "$(pwd -P)/.venv" .venv/bin/activate 2>/dev/null &&
        { uses_uv || .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
        return
    fi
    rm -rf .venv
    find_python
    if uses_uv; then
        uv venv --quiet --python "${python:-3.13}" .venv && return
        fail "uv could not make an environment"
    fi
    if [ -z "$python" ]; then
        may_install || fail "Python 3.11 or later is needed. Debian: apt install python3 python3-venv. macOS: brew install python."
        install_package python3 python3-venv
        find_python
        [ -n "$python" ] || fail "Python 3.11 or later is needed; $(python3 --version) is what this system offers"
    fi
    "$python" -m venv .venv >/dev/null 2>&1 && return
    package=python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    may_install || fail "$python cannot make an environment: a part of it is missing. Debian: apt install $package"
    install_package "$package"
    "$python" -m venv --clear .venv || fail "$python could not make an environment"
}

# Those that every package has a ready wheel for come first, then anything newer. A name can be there and yet not work
# (a shim of a version manager), so each is tried.
find_python() {
    for newest in 14 99; do
        for python in python3 python3.13 python3.12 python3.14 python3.11 python /usr/bin/python3 /usr/local/bin/python3 \
            /opt/homebrew/bin/python3; do
            if "$python" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $newest))" 2>/dev/null; then
                return
            fi
        done
    done
    python=
}

# Compiles a line of C++: the command alone says little, since headers may be missing and macOS has a stub of it.
need_compiler() {
    compiles && return
    if [ "$(uname)" = Darwin ]; then
        fail "a compiler is needed to build the engine. Run: xcode-select --install"
    fi
    may_install || fail "a C++ compiler is needed to build the engine. Debian: apt install build-essential"
    install_package build-essential
    compiles || fail "the C++ compiler does not work: $(compile 2>&1 | head -n 1)"
}

compiles() { compile 2>/dev/null; }

compile() { echo '#include <vector>' | "${CXX:-c++}" -x c++ -c - -o /dev/null; }

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

install_package() {
    say "installing $*"
    if words=$({ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } 2>&1); then
        return
    fi
    printf '%s\n' "$words" | tail -n 5 >&2
    fail "apt-get could not install $*"
}

# What the engine is built for: CUDA where there is a toolkit and a driver, Metal on Apple silicon, else the CPU.
# pip keeps what it built by name and version alone, so that a build for CUDA neither takes nor leaves a kept one.
choose_device() {
    device="the CPU"
    minutes="about five minutes"
    no_cache=
    PATH=$PATH:/usr/local/cuda/bin
    case ${CMAKE_ARGS:-} in
    *GGML_*)
        device="what CMAKE_ARGS says"
        no_cache=--no-cache
        ;;
    *)
        if command -v nvcc >/dev/null 2>&1 && { [ -e /dev/nvidia0 ] || nvidia-smi >/dev/null 2>&1; }; then
            device=CUDA
            minutes="about fifteen minutes"
            no_cache=--no-cache
            export CMAKE_ARGS="${CMAKE_ARGS:-} -DGGML_CUDA=on"
        elif [ "$(uname -sm)" = "Darwin arm64" ]; then
            device=Metal
            export CMAKE_ARGS="${CMAKE_ARGS:-} -DGGML_METAL=on"
        fi
        ;;
    esac
}
