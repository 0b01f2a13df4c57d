#!/bin/sh
# Fuzzes one target: run.sh BUILD NAME SECONDS. What it learns stays in BUILD/corpus/NAME, for the next time; what it
# says is in BUILD/NAME.log; an input that makes it fail is BUILD/findings/NAME-*, replayed by BUILD/NAME FILE.
# SEED=N in the environment: another sequence than that of seed 1, 0: a new one each time.
set -eu
build=$1 name=$2 seconds=$3
folder=$(dirname "$0")

mkdir -p "$build/corpus/$name" "$build/findings"
set -- "$build/corpus/$name"
[ ! -d "$folder/corpus/$name" ] || set -- "$@" "$folder/corpus/$name"
for dictionary in "$folder/$name.dict" "$folder/${name%%-*}.dict"; do
    [ ! -f "$dictionary" ] || { set -- -dict="$dictionary" "$@"; break; }
done

ASAN_OPTIONS=quarantine_size_mb=32${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS
"$build/$name" -seed="${SEED:-1}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$name-" "$@" >"$build/$name.log" 2>&1 || {
    grep -v '^#' "$build/$name.log" | tail -60
    echo "FAILED fuzz-$name; replay with: $build/$name $build/findings/$name-..."
    exit 1
}
echo "ok fuzz-$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log") inputs in $seconds s," \
    "$(grep -o 'cov: [0-9]*' "$build/$name.log" | tail -1 | cut -d' ' -f2) edges covered"
