# Sourced by ./deedbox: system packages and the virtual environment, only what is missing, said on standard error.

# What the box needs at work; tests need more. Names are the same on Debian 12 and 13.
deedbox_packages_run="python3-venv bubblewrap tesseract-ocr tesseract-ocr-eng fonts-dejavu-core
    fonts-droid-fallback openssl"
deedbox_packages_test="$deedbox_packages_run xfsprogs libarchive-tools 7zip e2fsprogs poppler-utils procps unzip util-linux git
    chromium faketime binutils python3-dev xxd oathtool"

deedbox_say() { printf 'deedbox: %s\n' "$*" >&2; }

deedbox_python() {
    for candidate in "${DEEDBOX_PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

deedbox_install_packages() {
    command -v dpkg-query >/dev/null 2>&1 || { deedbox_say "this is not Debian: make sure you have $*"; return 0; }
    missing=""
    for package in "$@"; do
        # A Python that is not Debian's brings its own venv.
        if [ "$package" = python3-venv ] && [ -n "$(deedbox_python)" ]; then continue; fi
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    deedbox_say "installing$missing"
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || { deedbox_say "these packages need root: apt-get install$missing"; exit 2; }
        sudo=sudo
    fi
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
    # shellcheck disable=SC2086 # a list of names
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >&2
}

# deedbox_setup CHECKOUT run|test
deedbox_setup() {
    checkout=$1 kind=$2
    if [ "$kind" = test ]; then packages=$deedbox_packages_test lock=requirements-test.lock; else packages=$deedbox_packages_run lock=requirements.lock; fi
    # shellcheck disable=SC2086
    deedbox_install_packages $packages
    stamp=$checkout/.venv/deedbox-stamp
    wanted="$kind $(cat "$checkout/$lock" "$checkout/pyproject.toml" | sha256sum | cut -d' ' -f1)"
    if [ -f "$stamp" ]; then
        have=$(cat "$stamp")
        [ "$have" = "$wanted" ] && return 0
        # An environment for tests has all that a run needs.
        [ "$kind" = run ] && [ "$have" = "test $(cat "$checkout/requirements-test.lock" "$checkout/pyproject.toml" | sha256sum | cut -d' ' -f1)" ] && return 0
    fi
    python=$(deedbox_python)
    [ -n "$python" ] || { deedbox_say "Python 3.11 or newer with venv is needed"; exit 2; }
    deedbox_say "setting up the Python environment (about a minute, once)"
    [ -x "$checkout/.venv/bin/python" ] || "$python" -m venv "$checkout/.venv"
    "$checkout/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$checkout/$lock" >&2
    "$checkout/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e "$checkout" >&2
    printf '%s' "$wanted" >"$stamp"
}
