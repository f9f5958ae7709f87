#!/bin/sh
# precision.sh MUSIC_DIR OUT_DIR [PROGRAM]: analyses songs at each precision and compares the results with
# those of fp32; docs/SPEED.md says what must hold.
#
# The songs are those of precision_songs.txt beside this script (MUSIC_DIR/PACKAGE/PATH, where
# `dpkg -x` put the package) and the golden songs of $ALLIN1_SHARED; JOBS of them (2) at a time, each on
# one thread, on which the results do not depend. What OUT_DIR has is not done again. Results go to
# OUT_DIR/PRECISION, the table to OUT_DIR/PRECISION.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
music=${1:?folder of the unpacked packages}
mkdir -p "${2:?folder for the results}"
out=$(cd "$2" && pwd)
build=$(dirname "$here")/build
program=${3:-$build/allin1}
export program out precisions="${PRECISIONS:-fp32 bf16 mixed}"

mkdir -p "$out/songs"
link() { # FILE NAME: one name for each song, whatever folder it comes from
    [ -f "$1" ] && ln -sf "$1" "$out/songs/$2" || echo "not there: $1" >&2
}
while IFS="$(printf '\t')" read -r package path; do
    link "$music/$package/$path" "$package:$(basename "$path")"
done <"$here/precision_songs.txt"
if [ -n "${ALLIN1_SHARED:-}" ]; then
    for song in "$ALLIN1_SHARED"/golden/songs/*/*.ogg; do
        link "$song" "golden:$(basename "$song")"
    done
fi
# All precisions of a song before the next song, so that a part of the work is a table too.
printf '%s\0' "$out"/songs/* | xargs -0 -n 1 -P "${JOBS:-2}" sh -c '
    for precision in $precisions; do
        "$program" -q -m harmonix-all --threads 1 --precision "$precision" -o "$out/$precision" "$1"
    done' sh
for precision in $precisions; do
    [ "$precision" = fp32 ] ||
        "$build/compare_results" "$out/fp32" "$out/$precision" >"$out/$precision.md"
done
