#!/bin/sh
# Fuzzes one target: run.sh BUILD NAME SECONDS. What it learns stays in BUILD/corpus/NAME, for the next time.
set -eu
build=$1 name=$2 seconds=$3
folder=$(dirname "$0")

mkdir -p "$build/corpus/$name" "$build/findings"
set -- "$build/corpus/$name"
[ ! -d "$folder/corpus/$name" ] || set -- "$@" "$folder/corpus/$name"
for dictionary in "$folder/$name.dict" "$folder/${name%%-*}.dict"; do
    [ ! -f "$dictionary" ] || { set -- -dict="$dictionary" "$@"; break; }
done
exec "$build/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="$build/findings/$name-" "$@"
