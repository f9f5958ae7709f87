#!/bin/sh
# run_tests.sh BUILD_DIR [NAME...]: runs the test programs of BUILD_DIR (all of them, or those named)
# and counts their cmocka test cases. Each failing or skipped case is shown with its reason. The last
# line is `N passed, N failed, N skipped`; the exit status is 0 only when something passed or was
# skipped and nothing failed.
#
# Programs of tests/golden and tests/cli use every core and run alone; the others run two at a time.
# A program that is missing, crashes, hangs or reports fewer cases than it announced has failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
source_dir=$(dirname "$here")
build=$(cd "${1:?build folder}" && pwd) || exit 2
shift

export ALLIN1_SOURCE="$source_dir"
export ALLIN1_PROGRAM="$build/allin1"
export TEST_LIMIT="${TEST_LIMIT:-1800}" # seconds a program
logs=$build/test-logs
rm -rf "$logs"
mkdir -p "$logs"

# The list comes from the sources, so that a program that was not built is missed.
find "$source_dir/tests" -name 'test_*.c' | sort >"$logs/all"
if [ $# -gt 0 ]; then
    for name in "$@"; do grep "/$name\.c$" "$logs/all"; done >"$logs/some"
    mv "$logs/some" "$logs/all"
fi
grep -E '/tests/(golden|cli)/' "$logs/all" >"$logs/alone"
grep -vE '/tests/(golden|cli)/' "$logs/all" >"$logs/together"

cd "$source_dir" || exit 2
for group in together alone; do
    at_once=1
    [ "$group" = together ] && at_once=2
    sed 's|.*/||; s|\.c$||' "$logs/$group" |
        xargs -r -P "$at_once" -n 1 "$here/run_test.sh" "$build" "$logs"
done

cat "$logs"/*.count 2>/dev/null | awk '
    { passed += $1; failed += $2; skipped += $3 }
    END {
        if (passed + failed + skipped == 0)
            print "no test ran"
        printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
        exit failed > 0 || passed + skipped == 0
    }' >"$logs/summary"
status=$?
cat "$logs/summary"
exit $status
