#!/bin/sh
# run.sh WORK: from package names to a student's weights, WORK/student.a1w. Needs the packages of
# scripts/packages.txt for `train`, a build in build/ and the full models. Every step goes on where it ended.
set -eu
work=$1
here=$(dirname "$0")
build=${BUILD:-build}
steps=${STEPS:-6000}
songs=${RENDERED:-1600}
cmake --build "$build" --target allin1_program mix_spectrogram hear_spectrogram
python=/usr/bin/python3 # Debian's, which has its PyTorch
$python "$here/fetch.py" --music "$work/music" || echo "going on without some packages" >&2
$python "$here/songs.py" --music "$work/music" --data "$work/data" --tool "$build/mix_spectrogram"
$python "$here/label.py" --music "$work/music" --data "$work/data" --program "$build/allin1" --first train
$python "$here/render.py" --data "$work/data" --tool "$build/mix_spectrogram" --count "$songs"
$python "$here/train.py" --data "$work/data" --run "$work/run" --steps "$steps"
threshold=$($python "$here/threshold.py" "$work/run/last.pt" --data "$work/data" --build "$build" | tee /dev/stderr |
    sed -n 's/^best: //p')
$python "$here/export.py" "$work/run/last.pt" "$work/student.a1w" --threshold "$threshold"
$python "$here/figures.py" --music "$work/music" --data "$work/data" --build "$build" --work "$work/figures" \
    --model "$work/student.a1w" --parts valid,test
$python "$here/calibrate.py" --data "$work/data" --real "$work/figures/real" --rendered "$work/figures/rendered" \
    --out "$work/confidence.txt"
$python "$here/export.py" "$work/run/last.pt" "$work/student.a1w" --threshold "$threshold" \
    --confidence "$work/confidence.txt"
