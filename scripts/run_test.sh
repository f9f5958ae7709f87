#!/bin/sh
# run_test.sh BUILD_DIR LOG_DIR NAME: runs one test program for run_tests.sh. Writes LOG_DIR/NAME.log,
# the program's output, and LOG_DIR/NAME.count, "passed failed skipped".
build=$1 logs=$2 name=$3
program=$build/tests/$name
log=$logs/$name.log
export CMOCKA_MESSAGE_OUTPUT=STDOUT
# stdbuf preloads a library, which a program built with the address sanitizer would not stand.
export ASAN_OPTIONS="verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="suppressions=$(dirname "$0")/../tests/leaks_of_others.txt:print_suppressions=0"

start=$(date +%s)
if [ -x "$program" ]; then
    # Line-buffered, so that the log of a program that crashes is complete and in order.
    timeout -k 10 "$TEST_LIMIT" stdbuf -oL "$program" </dev/null >"$log" 2>&1
    status=$?
else
    echo "$program was not built" >"$log"
    status=127
fi
seconds=$(($(date +%s) - start))

# One write a program, so that two programs' reports do not mix.
report=$(awk -v name="$name" -v status="$status" -v seconds="$seconds" -v count="$logs/$name.count" '
    # A group runs from "Running N test(s)" to "N test(s) run"; the list after it repeats its cases.
    /^\[==========\] Running [0-9]+ test/ { announced += $3; inside = 1; held = ""; next }
    /^\[==========\] [0-9]+ test\(s\) run/ { inside = 0; next }
    inside && /\[ RUN      \] / { held = ""; running = $0; sub(/.*\[ RUN      \] /, "", running); next }
    inside && /\[       OK \] / { passed++; running = ""; next }
    inside && /\[  SKIPPED \] / {
        skipped++
        sub(/.*\[  SKIPPED \] /, "")
        details = details "    skipped: " $0 "\n" held
        running = ""
        next
    }
    inside && /\[  FAILED  \] / {
        failed++
        sub(/.*\[  FAILED  \] /, "")
        group_failed = group_failed || /^GROUP/
        details = details "    FAILED: " $0 "\n" held
        running = ""
        next
    }
    { held = held "        " $0 "\n"; outside = inside ? outside : outside "        " $0 "\n" }
    END {
        done = passed + failed + skipped
        problem = ""
        if (status == 124 || status == 137)
            problem = "did not finish in time"
        else if (status == 127)
            problem = "could not be run"
        else if (status > 128)
            problem = "was ended by signal " (status - 128)
        else if (done != announced && !group_failed)
            problem = "announced " announced " cases and reported " done
        else if (announced == 0)
            problem = "ran no case"
        else if (status != 0 && failed == 0)
            problem = "ended with status " status
        if (problem != "") {
            failed++
            if (running != "")
                problem = problem " (in " running ")"
            details = details "    FAILED: the program " problem "\n" (running != "" ? held : outside)
        }
        printf "%-32s %3d passed, %d failed, %d skipped, %d s\n%s", \
            name, passed, failed, skipped, seconds, details
        printf "%d %d %d\n", passed, failed, skipped >count
    }' "$log")
printf '%s\n' "$report"
