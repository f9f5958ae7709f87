"""Lists the usable songs of unpacked packages, with part, licence and spectrogram.

Writes DATA/songs.tsv and DATA/spec/ID.npy, float16 [frames][81]. ID is the beginning of the file's SHA-256.
Usable: recordings and tracker modules of 40 to 300 s, not near-silent, not heard before. What has a spectrogram is not
decoded again."""
import argparse
import csv
import fnmatch
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import numpy as np

from fetch import MODULES, MUSIC, name_and_suite, package_list

SHORTEST, LONGEST = 40.0, 300.0
# Bytes. A recording that is smaller is shorter than 40 s at any usual rate. A module's size does not tell its length; one
# that is smaller has hardly any sounds in it. Not worth probing, both.
SMALLEST = {suffix: 150_000 for suffix in MUSIC} | {suffix: 8_000 for suffix in MODULES}
# Mean of the spectrogram's values below which a file is near-silent, and share of its frames that sound.
QUIETEST, SOUNDING = 0.02, 0.5


def licences(tree, package):
    """[(pattern, licence)] from a machine-readable copyright file, in its order; [] when it is not one."""
    found = []
    path = tree / "usr/share/doc" / package / "copyright"
    if not path.exists():
        return found
    for paragraph in re.split(r"\n\s*\n", path.read_text(encoding="utf-8", errors="replace")):
        fields = dict(re.findall(r"^(Files|License):\s*((?:.*)(?:\n[ \t].*)*)", paragraph, re.M))
        if "Files" in fields and "License" in fields:
            name = fields["License"].split("\n")[0].strip()
            found += [(pattern, name) for pattern in fields["Files"].split()]
    return found


def licence_of(rules, path):
    """The last rule that fits decides, as Debian's policy says. The source's folders are not the package's: the end of
    a pattern, of two names at least, is tried on every tail of the path."""
    parts = path.parts
    tails = ["/".join(parts[i:]) for i in range(len(parts))]
    best = "see the package's copyright file"
    for pattern, name in rules:
        names = pattern.removeprefix("./").split("/")
        ends = ["/".join(names[i:]) for i in range(max(1, len(names) - 1))]
        if any(fnmatch.fnmatchcase(tail, end) for tail in tails for end in ends) or parts[-1] == names[-1]:
            best = name
    return best


def seconds_of(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "json", path],
                         capture_output=True, text=True)
    try:
        return float(json.loads(out.stdout)["format"]["duration"])
    except (KeyError, ValueError):
        return 0.0


def spectrogram(tool, path, target):
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            raw = pathlib.Path(folder) / "raw.npy"
            if subprocess.run([tool, path, raw], stderr=subprocess.DEVNULL).returncode:
                return None
            half = pathlib.Path(folder) / "half.npy"
            np.save(half, np.load(raw).astype(np.float16))
            half.rename(target)
    return np.load(target, mmap_mode="r")


def fingerprint(values):
    """The loudness of 64 equal parts of the song in 9 groups of bands, without the mean."""
    n = len(values) // 64 * 64
    means = np.asarray(values[:n], dtype=np.float32).reshape(64, -1, 9, 9).mean(axis=(1, 3)).ravel()
    means -= means.mean()
    return means / (np.linalg.norm(means) + 1e-9)


def read_table(path):
    """[{column: text}] of songs.tsv or another table of songs."""
    with open(path, encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def write_table(table, rows):
    """Rank first: whoever takes the head of the list has something of every package."""
    work = table.with_suffix(".tmp")
    with work.open("w", encoding="utf-8") as out:
        out.write("part\tpackage\trank\tid\tseconds\tlicence\tpath\n")
        for row in sorted(rows, key=lambda r: (r[2], r[0], r[1])):
            out.write("\t".join(map(str, row)) + "\n")
    work.rename(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tool", type=os.path.abspath, required=True, help="build/mix_spectrogram")
    parser.add_argument("--list", type=pathlib.Path, default=pathlib.Path(__file__).with_name("packages.txt"))
    options = parser.parse_args()
    (options.data / "spec").mkdir(parents=True, exist_ok=True)
    known = {}
    table = options.data / "songs.tsv"
    seen, prints, rows = set(), [], []
    cache = options.data / "durations.json"
    if cache.exists():
        known = json.loads(cache.read_text())
    for part, package in package_list(options.list):
        tree = options.music / package
        rules = licences(tree, name_and_suite(package)[0])
        rank = 0
        # By name's digest: an order without a pattern, the same on every machine.
        files = sorted((p for p in tree.rglob("*") if p.suffix.lower() in SMALLEST and p.is_file()
                        and p.stat().st_size >= SMALLEST[p.suffix.lower()]),
                       key=lambda p: hashlib.sha256(str(p.relative_to(tree)).encode()).digest())
        for path in files:
            name = str(path.relative_to(options.music))
            if name not in known:
                known[name] = seconds_of(path)
            lower = name.lower()
            if "/sfx/" in lower or "/ambient/" in lower or "/sounds/" in lower and "music" not in lower:
                continue
            if not SHORTEST <= known[name] <= LONGEST:
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in seen:
                continue
            seen.add(digest)
            values = spectrogram(options.tool, path, options.data / "spec" / f"{digest[:16]}.npy")
            if values is None or len(values) < 100 * SHORTEST:
                continue
            loud = np.asarray(values, dtype=np.float32).mean(axis=1)
            if loud.mean() < QUIETEST or (loud > QUIETEST).mean() < SOUNDING:
                print("near-silent:", name, flush=True)
                continue
            mark = fingerprint(values)
            if prints and max(float(mark @ other) for other in prints) > 0.99:
                print("heard before:", name, flush=True)
                continue
            prints.append(mark)
            rows.append((part, package, rank, digest[:16], f"{len(values) / 100:.2f}",
                         licence_of(rules, path.relative_to(tree)), name))
            rank += 1
        print(package, rank, flush=True)
        cache.write_text(json.dumps(known))
        if not table.exists():
            write_table(table, rows)
    write_table(table, rows)


if __name__ == "__main__":
    main()
