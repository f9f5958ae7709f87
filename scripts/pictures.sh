#!/bin/sh
# pictures.sh [BUILD_DIR]: makes the pictures of the README from the bundled song, with the program
# itself; the pages are photographed with Chromium. Run `make demo models` before. Installs what is missing.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
demo=$(cd "$build/demo" && pwd)
scripts/setup.sh build test page
cmake -S . -B "$build" >/dev/null # the programs of the tests, where their packages have come only now
cmake --build "$build" --target terminal_svg page_pictures
mkdir -p docs/pictures
"$build/allin1" -q -m harmonix-all --out-dir "$demo/full" "$demo/demo.wav"
"$build/allin1" show --color always --width 90 "$demo/full/demo.json" | "$build/terminal_svg" >docs/show.svg
"$build/allin1" -v -q -m harmonix-all --html --out-dir "$demo/full" --viz-dir "$demo" --viz-format png \
    --html-dir "$demo/html" "$demo/demo.wav"
cp "$demo/demo.png" docs/pictures/figure.png
"$build/tests/page_pictures" "$demo/html/demo.html" "$demo/page-" >/dev/null
cp "$demo/page-light.png" docs/pictures/page.png
cp "$demo/page-dark.png" docs/pictures/page-dark.png

# The index: the song beside itself played slower and faster, quickly analysed.
for speed in 0.85 1.15; do
    ffmpeg -v error -y -i "$demo/demo.wav" -af "atempo=$speed" "$demo/demo at $speed.wav"
done
"$build/allin1" -q --demix none --html --html-audio none --out-dir "$demo/index" \
    --html-dir "$demo/index" "$demo/demo.wav" "$demo/demo at 0.85.wav" "$demo/demo at 1.15.wav"
"$build/tests/page_pictures" "$demo/index/index.html" "$demo/index-" >/dev/null
cp "$demo/index-light.png" docs/pictures/index.png
