"""Prints figures of a result of `make bench` as a Markdown table: what docs/SPEED.md shows.

    python3 bench/table.py bench/results/DATE.json [PATTERN]

PATTERN, a regular expression, chooses figures by "name; how"; without it all are printed.
"""

import json
import re
import sys


def seconds(value):
    for unit, scale in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if value * scale >= 1 or unit == "us":
            return f"{value * scale:.3g} {unit}"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: table.py RESULT.json [PATTERN]")
    with open(sys.argv[1], encoding="utf-8") as file:
        result = json.load(file)
    pattern = re.compile(sys.argv[2] if len(sys.argv) > 2 else "")
    print("| what | how | best, median (runs) | share of peak | times as fast as |\n|---|---|---|---|---|")
    for f in result["figures"]:
        if not pattern.search(f"{f['name']}; {f['how']}"):
            continue
        took = ""
        if "best_seconds" in f:
            took = f"{seconds(f['best_seconds'])}, {seconds(f['median_seconds'])} ({f['runs']})"
        elif "bytes" in f:
            took = f"{f['bytes'] / 2**20:.0f} MB"
        elif "peak_per_second" in f:
            took = f"{f['peak_per_second'] / 1e9:,.0f} Gop/s"
        share = f"{100 * f['share_of_peak']:.0f} %" if "share_of_peak" in f else ""
        against = f"{f['times_as_fast']:.2f}: {f['against']}" if "against" in f else ""
        print(f"| {f['name']} | {f['how']} | {took} | {share} | {against} |")


main()
