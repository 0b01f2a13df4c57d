#!/bin/sh
# Debian's lwIP source package into build/lwip, once; prints where its sources are. The machine's own entries for
# apt say where from: they are repeated as deb-src in a list of our own, so nothing of the machine's changes.
#   bench/lwip/fetch.sh
set -eu
cd "$(dirname "$0")/../.."
folder=$PWD/build/lwip

unpacked() {
    find "$folder" -maxdepth 1 -type d -name 'lwip-*' 2>/dev/null | head -n 1
}

if [ -z "$(unpacked)" ]; then
    rm -rf "$folder"
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/apt/parts"
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    by=""
    [ ! -f $keys ] || by="[signed-by=$keys] "
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n "s|^Debian |deb-src $by|p" | sort -u >"$folder/apt/sources.list"
    private() {
        apt-get -qq -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts="$folder/apt/parts" \
            -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User=root \
            -o APT::Update::Error-Mode=any -o Acquire::Retries=2 -o Acquire::http::Timeout=20 "$@"
    }
    {
        private update && (cd "$folder" && private source --download-only lwip) &&
            (cd "$folder" && dpkg-source --no-check -x ./*.dsc)
    } >"$folder/log" 2>&1 || {
        echo "lwIP's source package cannot be had: $(grep -m 1 '^E:\|rror' "$folder/log" || tail -n 1 "$folder/log")" >&2
        exit 1
    }
    rm -rf "$folder/apt"
fi
unpacked
