#!/bin/sh
# run.sh WORK: from package names to a student's weights, WORK/student.a1w. Needs the packages of
# scripts/packages.txt for `train`, a build in build/ and the full models. Every step goes on where it ended.
set -eu
work=$1
here=$(dirname "$0")
build=${BUILD:-build}
steps=${STEPS:-19000}
songs=${RENDERED:-1500}
labelled=${LABELLED:-200} # of each package, by the full models; the others by these without their separator
start=${START:+--start $START} # weights to begin with, instead of chance: another run's, or a student.a1w
cmake --build "$build" --target allin1_program mix_spectrogram hear_spectrogram student_layers
# Products in bfloat16 where the processor has them, else float32 by this project's layers.
if grep -q avx512_bf16 /proc/cpuinfo; then own=--half; else own="--layers $build/libstudent_layers.so"; fi
products=${PRODUCTS-$own}
python=/usr/bin/python3 # Debian's, which has its PyTorch
music="--music $work/music"
data="--data $work/data"
tool="--tool $build/mix_spectrogram"
for list in packages compositions modules; do
    # shellcheck disable=SC2086 # the options are words
    $python "$here/fetch.py" $music --list "$here/$list.txt" || echo "going on without some packages" >&2
done
# shellcheck disable=SC2086
{
    $python "$here/songs.py" $music $data $tool
    $python "$here/label.py" $music $data --program "$build/allin1" --first train --per-package "$labelled"
    $python "$here/played.py" $music $data $tool
    $python "$here/label.py" $music $data --program "$build/allin1" --played --per-package "${PLAYED:-20}"
    $python "$here/label.py" $music $data --program "$build/allin1" --weak --per-package 200
    $python "$here/render.py" $data $tool --count "$songs"
    $python "$here/bands.py" $data $tool
    $python "$here/compositions.py" $music $data $tool
    $python "$here/textures.py" $data $tool
    $python "$here/modules.py" $music $data $tool
    $python "$here/noises.py" $data $tool
    $python "$here/train.py" $data --run "$work/run" --steps "$steps" $products $start
    $python "$here/coarse.py" "$work/run/last.pt" "$work/student.pt" $data --features "$work/features" $products
    constants=$($python "$here/tune_decoder.py" "$work/student.pt" $data --build "$build" | tee /dev/stderr |
        grep '^--')
    $python "$here/export.py" "$work/student.pt" "$work/student.a1w" $constants
    $python "$here/figures.py" $music $data --build "$build" --work "$work/figures" --model "$work/student.a1w" \
        --parts valid,test
    $python "$here/calibrate.py" $data --real "$work/figures/real" --rendered "$work/figures/rendered" \
        --out "$work/confidence.txt"
    $python "$here/export.py" "$work/student.pt" "$work/student.a1w" $constants --confidence "$work/confidence.txt"
}
