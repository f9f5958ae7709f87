#!/bin/sh
# pictures.sh [BUILD_DIR]: makes the pictures of the README from the bundled song, with the program
# itself; the pages are photographed with Chromium. Run `make demo` before.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
demo=$(cd "$build/demo" && pwd)
cmake --build "$build" --target terminal_svg page_pictures
mkdir -p docs/pictures
"$build/allin1" show --color always --width 90 "$demo/struct/demo.json" | "$build/terminal_svg" >docs/show.svg
"$build/allin1" -v -q --html --out-dir "$demo/struct" --viz-dir "$demo" --viz-format png \
    --html-dir "$demo/html" "$demo/demo.wav"
cp "$demo/demo.png" docs/pictures/figure.png
"$build/tests/page_pictures" "$demo/html/demo.html" "$demo/page-" >/dev/null
cp "$demo/page-light.png" docs/pictures/page.png
cp "$demo/page-dark.png" docs/pictures/page-dark.png
