"""Downloads Debian packages and unpacks them, without installing: MUSIC/PACKAGE/usr/share/...

The music of archives in them (.zip, .pk3) lies in a folder beside each. What is there already is left alone; a package
appears under its name only when it is whole."""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

MUSIC = (".ogg", ".oga", ".opus", ".mp3", ".flac", ".wav", ".m4a")


def package_list(path):
    """[(part, package)] of packages.txt."""
    rows = []
    for line in open(path, encoding="utf-8"):
        words = line.split()
        if words and not words[0].startswith("#"):
            rows.append((words[0], words[1]))
    return rows


def open_archives(tree):
    for path in [p for p in tree.rglob("*") if p.suffix in (".zip", ".pk3") and zipfile.is_zipfile(p)]:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.lower().endswith(MUSIC):
                    archive.extract(member, path.with_name(path.name + ".d"))


def fetch(music, package):
    target = music / package
    if target.exists():
        return
    # By process, so that two runs never share a folder.
    work = music / f".{package}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        subprocess.run(["apt-get", "download", "-q", package], cwd=work, check=True,
                       stdout=subprocess.DEVNULL)
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
        except (subprocess.CalledProcessError, ValueError, zipfile.BadZipFile) as error:
            print("cannot have", package, error, file=sys.stderr, flush=True)
            failed.append(package)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
