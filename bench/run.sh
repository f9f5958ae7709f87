#!/bin/sh
# run.sh BUILD_DIR [PART...]: runs every benchmark, or the parts named (those of the list below), prints one
# table and writes it to bench/results/DATE.json (or $BENCH_OUT). A caller that sets $ALLIN1_BENCH_LINES to
# a file collects the parts of several calls in it.
# Peers take part where they are installed: ONNX Runtime as the npm package onnxruntime-node (NODE_PATH
# names its node_modules), PyTorch and oneDNN as Debian's python3-torch and libdnnl-dev.
# Leave the machine alone meanwhile: nothing here can tell your other work from ours.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?build folder}" && pwd)
shift
parts=${*:-kernels onednn demix program memory spectrogram network decoder onnxruntime torch}
out=${BENCH_OUT:-$here/results/$(date -u +%Y-%m-%d).json}
if [ -z "${ALLIN1_BENCH_LINES:-}" ]; then
    ALLIN1_BENCH_LINES=$(mktemp)
    trap 'rm -f "$ALLIN1_BENCH_LINES"' EXIT
fi
export ALLIN1_BENCH_LINES
python=python3
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import torch' 2>/dev/null && python=$candidate && break
done

skip() { echo; echo "not compared with $1: $2"; }
separates() { "$build/allin1" models path htdemucs >/dev/null 2>&1; }
no_weights() { skip "anything that separates" "the weights of htdemucs are not here (allin1 models fetch)"; }

for part in $parts; do
    case $part in
    kernels) "$build/bench_kernels" ;;
    onednn)
        if [ -x "$build/bench_onednn" ]; then "$build/bench_onednn"
        else skip oneDNN "not found when the build was configured (libdnnl-dev)"; fi ;;
    demix) if separates; then "$build/bench_demix"; else no_weights; fi ;;
    program) if separates; then "$build/bench_program" "$build/allin1"; else no_weights; fi ;;
    memory) if separates; then "$build/bench_program" "$build/allin1" --memory 5 100 300; else no_weights; fi ;;
    spectrogram) "$build/bench_spectrogram" ;;
    network) "$build/bench_network" ;;
    decoder) "$build/bench_metrical" ;;
    onnxruntime)
        if ! separates; then no_weights
        elif ! command -v node >/dev/null || ! node -e 'require("onnxruntime-node")' 2>/dev/null; then
            skip "ONNX Runtime" "node does not find onnxruntime-node"
        elif ! onnx=$("$here/../scripts/htdemucs_onnx.sh"); then
            skip "ONNX Runtime" "no htdemucs.onnx"
        else
            node "$here/onnxruntime.js" "$onnx" "$build/bench_demix"
        fi ;;
    torch)
        if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
            skip "PyTorch" "$python has no torch"
        elif [ ! -f "${ALLIN1_WEIGHTS:-}/harmonix/harmonix-fold0_mlx.npz" ]; then
            skip "PyTorch" "no npz files in \$ALLIN1_WEIGHTS/harmonix"
        else
            "$python" "$here/torch_network.py" "$build/bench_network"
        fi ;;
    *) echo "run.sh: no part $part" >&2; exit 2 ;;
    esac
done

# What of it can be said; a JSON string or nothing.
version() { # NAME COMMAND...
    name=$1
    shift
    text=$("$@" 2>/dev/null | head -n 1)
    [ -z "$text" ] || printf ',\n"%s": "%s"' "$name" "$text"
}
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
commit=$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)
git -C "$here" diff --quiet HEAD 2>/dev/null || commit="$commit, changed"
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
{
    printf '{\n"date": "%s",\n"commit": "%s",\n"processor": "%s",\n"processors": %s,\n' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$commit" "${processor:-unknown}" "$(nproc)"
    printf '"system": "%s"' "$(uname -s) $(uname -r | cut -d- -f1) $(uname -m)"
    version compiler "$compiler" --version
    version onnxruntime node -p 'require("onnxruntime-node/package.json").version'
    version pytorch "$python" -c 'import torch; print(torch.__version__)'
    version onednn dpkg-query -W -f '${Version}\n' libdnnl2
    printf ',\n"figures": [\n'
    sed '$!s/$/,/' "$ALLIN1_BENCH_LINES"
    printf ']\n}\n'
} >"$out"
echo
echo "written: $out"
