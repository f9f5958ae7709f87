#!/bin/sh
# run.sh BUILD_DIR: runs every benchmark, prints one table and writes it to bench/results/DATE.json
# (or $BENCH_OUT). Peers take part where they are installed: ONNX Runtime as the npm package
# onnxruntime-node (NODE_PATH names its node_modules), PyTorch as Debian's python3-torch.
# Leave the machine alone meanwhile: nothing here can tell your other work from ours.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:?build folder}" && pwd)
out=${BENCH_OUT:-$here/results/$(date -u +%Y-%m-%d).json}
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
export ALLIN1_BENCH_LINES="$lines"

skip() { echo; echo "not compared with $1: $2"; }

"$build/bench_kernels"
if "$build/allin1" models path htdemucs >/dev/null 2>&1; then
    "$build/bench_demix"
    "$build/bench_program" "$build/allin1"
else
    skip "anything that separates" "the weights of htdemucs are not here (allin1 models fetch)"
fi
"$build/bench_spectrogram"
"$build/bench_network"
"$build/bench_metrical"

if ! command -v node >/dev/null || ! node -e 'require("onnxruntime-node")' 2>/dev/null; then
    skip "ONNX Runtime" "node does not find onnxruntime-node"
elif ! onnx=$("$here/../scripts/htdemucs_onnx.sh"); then
    skip "ONNX Runtime" "no htdemucs.onnx"
else
    node "$here/onnxruntime.js" "$onnx" "$build/bench_demix"
fi
if ! python3 -c 'import torch' 2>/dev/null; then
    skip "PyTorch" "python3 has no torch"
elif [ -f "$here/torch_network.py" ]; then
    python3 "$here/torch_network.py" "$build/bench_network"
fi

commit=$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)
git -C "$here" diff --quiet HEAD 2>/dev/null || commit="$commit, changed"
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
{
    printf '{\n"date": "%s",\n"commit": "%s",\n"processor": "%s",\n"processors": %s,\n' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$commit" "${processor:-unknown}" "$(nproc)"
    printf '"system": "%s",\n"figures": [\n' "$(uname -srm)"
    sed '$!s/$/,/' "$lines"
    printf ']\n}\n'
} >"$out"
echo
echo "written: $out"
