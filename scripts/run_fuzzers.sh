#!/bin/sh
# run_fuzzers.sh BUILD_DIR SECONDS NAME...: runs each fuzzer for SECONDS, beginning with what make_seeds
# writes into BUILD_DIR/seeds/NAME. What it finds interesting is kept in BUILD_DIR/corpus/NAME for the next run.
# A crashing input is left in BUILD_DIR/crashes.
set -eu
source_dir=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
seconds=$2
shift 2
[ $# -gt 0 ] || { echo "no fuzzers were found" >&2; exit 1; }
rm -rf "$build/seeds"
mkdir -p "$build/crashes"
(cd "$source_dir" && "$build/tests/make_seeds" "$build/seeds" >/dev/null)
for name in "$@"; do
    echo "== $name, $seconds s"
    program=$(find "$build" -type f -name "$name" -perm -u+x | head -n 1)
    mkdir -p "$build/corpus/$name" "$build/seeds/$name"
    log=$build/crashes/log-of-$name
    status=0
    "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" "$build/seeds/$name" \
        </dev/null >"$log" 2>&1 || status=$?
    grep -vE '^#[0-9]+.*(NEW|REDUCE|pulse)' "$log" || true
    if [ $status -ne 0 ]; then
        echo "$name found something (status $status): see $build/crashes" >&2
        exit 1
    fi
done
