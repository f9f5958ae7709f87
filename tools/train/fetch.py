"""Downloads Debian packages and unpacks them, without installing: MUSIC/PACKAGE/usr/share/...

The music of archives in them (.zip, .pk3; of .wad the MIDI files) lies in a folder beside each. What is there already
is left alone; a package appears under its name only when it is whole. PACKAGE@SUITE is another release's, taken from
the same server as this machine's; its lists are kept in MUSIC/.suites and nothing of the machine's is touched."""
import argparse
import functools
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import zipfile

MUSIC = (".ogg", ".oga", ".opus", ".mp3", ".flac", ".wav", ".m4a")
MODULES = (".xm", ".mod", ".it", ".s3m")


def package_list(path):
    """[(part, package)] of packages.txt."""
    rows = []
    for line in open(path, encoding="utf-8"):
        words = line.split()
        if words and not words[0].startswith("#"):
            rows.append((words[0], words[1]))
    return rows


def midi_files(wad):
    """[(name, bytes)] of the MIDI files in a game's .wad: a header, lumps, and a directory of twelve and four bytes each."""
    data = wad.read_bytes()
    count, directory = struct.unpack_from("<ii", data, 4)
    entries = [struct.unpack_from("<ii8s", data, directory + 16 * i) for i in range(count)]
    lumps = [(name.rstrip(b"\0").decode("ascii"), data[at:at + size]) for at, size, name in entries]
    return [(name, lump) for name, lump in lumps if lump[:4] == b"MThd"]


def open_archives(tree):
    for wad in tree.rglob("*.wad"):
        folder = wad.with_name(wad.name + ".d")
        folder.mkdir()
        for name, content in midi_files(wad):
            (folder / (name + ".mid")).write_bytes(content)
    for path in [p for p in tree.rglob("*") if p.suffix in (".zip", ".pk3") and zipfile.is_zipfile(p)]:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.lower().endswith(MUSIC + MODULES):
                    archive.extract(member, path.with_name(path.name + ".d"))


def name_and_suite(package):
    """PACKAGE@SUITE in two; the suite is empty for this machine's own release."""
    name, _, suite = package.partition("@")
    return name, suite


@functools.cache
def of_suite(music, suite):
    """apt-get's options for a release that this machine is not of, with that release's lists of today."""
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian",
                              "Component: main"], capture_output=True, text=True, check=True).stdout.split()
    if not targets:
        raise ValueError("of this machine's package lists none is Debian's main")
    folder = (music / ".suites" / suite).resolve()
    for inside in ("lists/partial", "cache/archives/partial"):
        (folder / inside).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(f"deb {targets[0]} {suite} main\n", encoding="utf-8")
    options = [f"-oDir::Etc::sourcelist={folder}/sources.list", "-oDir::Etc::sourceparts=-", f"-oDir::State={folder}",
               f"-oDir::Cache={folder}/cache"]
    subprocess.run(["apt-get", *options, "update", "-q"], check=True, stdout=subprocess.DEVNULL)
    return options


def fetch(music, package):
    target = music / package
    if target.exists():
        return
    # By process, so that two runs never share a folder.
    work = music / f".{package}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        name, suite = name_and_suite(package)
        options = of_suite(music, suite) if suite else []
        subprocess.run(["apt-get", *options, "download", "-q", name], cwd=work, check=True, stdout=subprocess.DEVNULL)
        [deb] = work.glob("*.deb")
        subprocess.run(["dpkg", "-x", deb, work / "tree"], check=True)
        open_archives(work / "tree")
        (work / "tree" / "package.txt").write_text(deb.name + "\n", encoding="utf-8")
        if not target.exists():
            (work / "tree").rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=pathlib.Path, required=True)
    parser.add_argument("--list", type=pathlib.Path,
                        default=pathlib.Path(__file__).with_name("packages.txt"))
    options = parser.parse_args()
    options.music.mkdir(parents=True, exist_ok=True)
    failed = []
    for _, package in package_list(options.list):
        try:
            fetch(options.music, package)
            print("have", package, flush=True)
        except (subprocess.CalledProcessError, ValueError, struct.error, zipfile.BadZipFile) as error:
            print("cannot have", package, error, file=sys.stderr, flush=True)
            failed.append(package)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
