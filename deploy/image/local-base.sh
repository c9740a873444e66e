#!/usr/bin/env bash
# A base image for machines without a registry: Debian with its own Python, under the name the Dockerfile asks for.
#
#   deploy/image/local-base.sh [NAME]        NAME is docker.io/library/python:3.13-slim unless given
#
# Needs mmdebstrap, podman (or ENGINE=docker), a Debian mirror, and root or user namespaces; takes half a minute.
# What the official image has and this one must have too: `python`, `python3` and `pip` in /usr/local/bin, certificates,
# no manuals. What differs: Python is Debian's build with Debian's patch level, and the certificates that were added to
# this machine are trusted, since `pip` inside a build has to pass the same proxies.
# It is for trying things out; what goes to a cluster is built on the official image, named by its digest.
set -euo pipefail

name=${1:-docker.io/library/python:3.13-slim}
engine=${ENGINE:-podman}
suite=${SUITE:-trixie}
mirror=${MIRROR:-http://deb.debian.org/debian}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A virtual environment at /usr/local makes Debian's Python look like the official image's: the same paths, a pip, and
# none of Debian's rules about who may install (PEP 668). The packages that made it are not needed afterwards.
cat >"$work/in-the-base" <<'IN_THE_BASE'
set -eu
update-ca-certificates >/dev/null 2>&1
python3 -m venv /usr/local
apt-get purge --yes -qq $(dpkg-query --show --showformat '${Package} ' 'python3*-venv' 'python3-*-whl') >/dev/null
IN_THE_BASE
mkdir -p "$work/certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$work/certificates" {} + 2>/dev/null || true

mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook="sync-in $work/certificates /usr/local/share/ca-certificates" \
    --customize-hook='chroot "$1" sh <'"$work/in-the-base" \
    --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*' \
    "$suite" "$work/root.tar" "deb $mirror $suite main" "deb $mirror $suite-updates main" \
    "deb $mirror-security $suite-security main"

"$engine" import \
    --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' --change 'ENV LANG=C.UTF-8' \
    --change 'CMD ["python3"]' "$work/root.tar" "$name" >/dev/null
"$engine" run --rm --network none "$name" python -c 'import sys; print("Python", sys.version.split()[0], "at", sys.executable)'
"$engine" images "$name"
