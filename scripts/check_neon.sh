#!/bin/sh
# check_neon.sh [BUILD_DIR]: compiles the parts of the library that need no other library for 64-bit
# Arm, without warnings, and runs the tests of the kernels and of the stages on them. On another
# processor it cross-compiles and runs under emulation; Debian's packages for that are
# gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user. ARM_CC and ARM_RUN override both tools.
# Exit status: 0 when all passed, 1 when something failed, 77 when the tools are not there.
set -u
source_dir=$(cd "$(dirname "$0")/.." && pwd)
build=${CHECK_NEON_BUILD:-${1:-$source_dir/build-neon}}
jobs=$(nproc 2>/dev/null || echo 2)

if [ "$(uname -m)" = aarch64 ]; then
    cc=${ARM_CC:-cc}
    run=${ARM_RUN:-}
else
    cc=${ARM_CC:-aarch64-linux-gnu-gcc}
    run=${ARM_RUN:-qemu-aarch64 -L /usr/aarch64-linux-gnu${CHECK_NEON_CPU:+ -cpu $CHECK_NEON_CPU}}
fi
for tool in "${cc%% *}" ${run:+"${run%% *}"}; do
    command -v "$tool" >/dev/null || {
        echo "check_neon: $tool is not there (on Debian: apt install gcc-aarch64-linux-gnu" \
            "libc6-dev-arm64-cross qemu-user)" >&2
        exit 77
    }
done

# The flags of CMakeLists.txt; every warning is an error.
flags="-std=c11 -O2 -g1 -D_GNU_SOURCE -Werror -Wall -Wextra -Wconversion -Wshadow
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -ffp-contract=off -fno-math-errno
    -fno-trapping-math -I$source_dir/include -I$source_dir/src -I$source_dir/tests
    -I$source_dir/tests/neon -I$source_dir/tools"
parts="base tensor kernels nn dsp spectrogram network student metrical functional tempo demix"
support="files golden guarded kernel_levels plain_network"
tests="kernels/test_vecmath kernels/test_gemm kernels/test_gemm_pack kernels/test_layers
    kernels/test_lane_kernels kernels/test_bands_kernels unit/test_fft unit/test_spectrogram unit/test_tensor
    unit/test_logistic unit/test_neighborhood unit/test_functional unit/test_tempo
    unit/test_metrical unit/test_confidence unit/test_student_layers"

# One line a compilation: output, source, further flags.
list() {
    cd "$source_dir" || exit 1
    for part in $parts; do
        find "src/$part" -name '*.c' ! -path '*/x86/*' ! -name '*_avx*' | sort |
            while read -r file; do
                # A kernel file's name ends in what it is compiled for.
                case $file in
                *_neonbf16.c) more=-march=armv8.2-a+bf16 ;;
                *_neondot.c) more=-march=armv8.2-a+dotprod ;;
                *) more= ;;
                esac
                echo "$(basename "$file" .c).o $file${more:+ $more}"
            done
    done
    # Without OpenMP, as nobody else builds it.
    echo "student_layers.o tools/train/student_layers.c -Wno-unknown-pragmas -Wno-unused-parameter -ffp-contract=fast"
    for name in $support; do echo "$name.o tests/support/$name.c"; done
    for level in scalar neon; do
        plain=
        [ $level = scalar ] && plain=-DA1_PLAIN_C
        echo "probe_$level.o tests/kernels/vecmath_probe.c" \
            "-DVECMATH_PROBE=vecmath_probe_$level $plain"
    done
}

compile() {
    output=$1 file=$2
    shift 2
    # shellcheck disable=SC2086
    $cc $flags "$@" -c "$source_dir/$file" -o "$build/objects/$output" 2>"$build/logs/$output.log" ||
        { cat "$build/logs/$output.log"; return 1; }
}

link() {
    # shellcheck disable=SC2086
    $cc $flags "$source_dir/tests/$1.c" "$build"/objects/*.o -o "$build/$(basename "$1")" \
        -static -lm -lpthread 2>"$build/logs/link.$(basename "$1").log" ||
        { cat "$build/logs/link.$(basename "$1").log"; return 1; }
}

check() {
    name=$(basename "$1")
    log=$build/logs/$name.${CHECK_NEON_CPU:-all}.log
    # Golden data lie in archives, whose library is not here: those tests are skipped.
    # shellcheck disable=SC2086
    (cd "$source_dir" && ALLIN1_SOURCE=$source_dir ALLIN1_SHARED=$build/none timeout 900 $run "$build/$name") >"$log" 2>&1
    status=$?
    # A program that fails, crashes or ends early has failed.
    if [ $status -ne 0 ] || ! grep -q '^\[  PASSED  \]' "$log"; then
        echo "FAILED: $name (status $status)"
        cat "$log"
        return 1
    fi
    echo "$name${CHECK_NEON_CPU:+ on $CHECK_NEON_CPU}: $(grep -c '\[       OK \]' "$log") passed, $(grep -c '\[  SKIPPED \]' "$log") skipped"
}

case ${CHECK_NEON_STEP:-} in
compile | link | check)
    "$CHECK_NEON_STEP" "$@"
    exit
    ;;
esac

# Each line of input becomes one more call of this script, `jobs` at a time.
each() {
    CHECK_NEON_STEP=$1 xargs -P "$jobs" -L 1 "$0"
}

mkdir -p "$build/objects" "$build/logs" || exit 1
rm -f "$build/objects"/*.o "$build/logs"/*.log
export CHECK_NEON_BUILD="$build"
echo "check_neon: $($cc -dumpmachine), $($cc -dumpversion)"
list | each compile || { echo "check_neon: compiling failed"; exit 1; }
# shellcheck disable=SC2086
printf '%s\n' $tests | each link || { echo "check_neon: linking failed"; exit 1; }
# shellcheck disable=SC2086
printf '%s\n' $tests | each check || { echo "check_neon: a test failed"; exit 1; }
if [ "$(uname -m)" != aarch64 ] && [ -z "${ARM_RUN:-}" ]; then
    # Emulation has bfloat16 and dot products; once more as a processor that has not.
    printf '%s\n' kernels/test_gemm kernels/test_layers | CHECK_NEON_CPU=cortex-a57 each check ||
        { echo "check_neon: a test failed"; exit 1; }
fi
echo "check_neon: all passed"
