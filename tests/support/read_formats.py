"""Reads a song's files in all formats with readers that are not ours, and compares them with its result.

    read_formats.py RESULT.json NAME    where NAME.SUFFIX are the files

Python's own json, csv and XML parsers, mido for MIDI where it is installed, a small parser of MIDI in
any case, FFmpeg's ffprobe for chapters and WebVTT where it is there. Prints what was skipped; fails with
a message when something differs. The checks of JAMS are those of its published schema (the core and the
namespaces beat, segment_open and tempo), written out here.
"""
import csv
import json
import math
import re
import shutil
import struct
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as xml

result_path, name = sys.argv[1:3]
with open(result_path, encoding="utf-8") as file:
    result = json.load(file)
beats, positions = result["beats"], result["beat_positions"]
downbeats, segments = result["downbeats"], result["segments"]
duration = result.get("duration", max([s["end"] for s in segments] + beats + [0]))
solid = [s for s in segments if s["end"] > s["start"]]
title = re.sub(r"(?<=.)\.[^.]+$", "", result["path"].split("/")[-1])


def text(suffix):
    with open(name + suffix, encoding="utf-8", newline="") as file:
        return file.read()


def same(found, expected, what, tolerance=1e-6):
    if isinstance(expected, float):
        assert abs(found - expected) <= tolerance, (what, found, expected)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), (what, len(found), len(expected))
        for i, (a, b) in enumerate(zip(found, expected)):
            same(a, b, f"{what}[{i}]", tolerance)
    else:
        assert found == expected, (what, found, expected)


def clean(words):
    """Control characters are blanks in files of lines."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", words)


def rows(suffix):
    return [line.split("\t") for line in text(suffix).splitlines()]


labelled = [[s["start"], s["end"], clean(s["label"])] for s in solid]


def check_lists():
    for suffix in (".lab", ".labels.txt"):
        same([[float(a), float(b), c] for a, b, c in rows(suffix)], labelled, suffix)
    same([[float(a), int(b)] for a, b in rows(".beats")], list(zip(beats, positions)), "beats")
    points = [[float(a), float(b), int(c)] for a, b, c in rows(".beatlabels.txt")]
    same(points, [[b, b, p] for b, p in zip(beats, positions)], "audacity-beats")
    bars = [[float(a), int(b), int(c)] for a, b, c in rows(".beats.txt")]
    bar = 1
    for i, (time, position, number) in enumerate(bars):
        bar += i > 0 and position == 1
        same([time, position, number], [beats[i], positions[i], bar], "harmonix-beats")
    same(len(bars), len(beats), "harmonix-beats")


def check_harmonix():
    lines = [line.split() for line in text(".segments.txt").splitlines()]
    if not segments:
        assert lines == []
        return
    kept = segments[1:] if len(segments) > 1 and segments[0]["label"] == "start" else segments[:]
    if len(segments) > 1 and segments[-1]["label"] == "end":
        expected_end = kept.pop()["start"]
    else:
        expected_end = segments[-1]["end"]
    same([float(line[0]) for line in lines], [s["start"] for s in kept] + [expected_end], "harmonix")
    words = [clean(s["label"]).replace(" ", "_") or "_" for s in kept]
    same([line[1] for line in lines], words + ["end"], "harmonix")


def check_csv():
    table = list(csv.DictReader(text(".csv").splitlines(keepends=True)))
    sections = [r for r in table if r["type"] == "section"]
    same([[float(r["start"]), float(r["end"]), r["label"]] for r in sections],
         [[s["start"], s["end"], clean(s["label"])] for s in segments], "csv")
    probabilities = result.get("segment_probabilities", [None] * len(segments))
    same([float(r["probability"]) if r["probability"] else None for r in sections], probabilities, "csv")
    rest = [r for r in table if r["type"] == "beat"]
    same([[float(r["start"]), int(r["position"])] for r in rest], list(zip(beats, positions)), "csv")
    same([int(r["bar"]) for r in rest], [positions[:i + 1].count(1) for i in range(len(rest))], "csv")
    same(len(table), len(sections) + len(rest), "csv")


def clock(words):
    hours, minutes, seconds = words.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def check_reaper():
    table = list(csv.DictReader(text(".reaper.csv").splitlines(keepends=True)))
    assert all(list(r) == ["#", "Name", "Start", "End", "Length"] for r in table)
    regions = [r for r in table if r["#"].startswith("R")]
    markers = [r for r in table if r["#"].startswith("M")]
    same([[clock(r["Start"]), clock(r["End"]), r["Name"]] for r in regions],
         [[s["start"], s["end"], clean(s["label"])] for s in segments], "reaper")
    for r in regions:
        same(clock(r["Length"]), clock(r["End"]) - clock(r["Start"]), "reaper", 0.0011)
    same([clock(r["Start"]) for r in markers], downbeats, "reaper")


def check_jams():
    jams = json.loads(text(".jams"))
    assert set(jams) == {"file_metadata", "annotations", "sandbox"}
    about = jams["file_metadata"]
    assert re.search("[0-9].[0-9].[0-9]", about["jams_version"])
    assert all(isinstance(about[key], str) for key in ("title", "artist", "release"))
    assert isinstance(about["identifiers"], dict) and isinstance(jams["sandbox"], dict)
    same(about["title"], title, "jams title")
    same(float(about["duration"]), float(duration), "jams duration")
    assert about["duration"] >= 0
    kinds = {}
    for annotation in jams["annotations"]:
        kinds[annotation["namespace"]] = annotation["data"]
        facts = annotation["annotation_metadata"]
        for key in ("annotation_tools", "annotation_rules", "corpus", "validation", "data_source"):
            assert isinstance(facts[key], str)
        assert isinstance(facts["version"], (str, int, float)) and isinstance(facts["annotator"], dict)
        assert isinstance(annotation["sandbox"], dict)
        assert annotation["time"] >= 0 and annotation["duration"] >= 0
        for item in annotation["data"]:
            assert set(item) == {"time", "duration", "value", "confidence"}
            assert item["time"] >= 0 and item["duration"] >= 0
    assert set(kinds) == {"beat", "segment_open", "tempo"}
    same([[i["time"], i["value"]] for i in kinds["beat"]], list(zip(beats, positions)), "jams beats")
    same([[i["time"], i["time"] + i["duration"], i["value"]] for i in kinds["segment_open"]],
         [[s["start"], s["end"], s["label"]] for s in segments], "jams sections")
    tempo = result.get("tempo") or result["bpm"]
    assert len(kinds["tempo"]) == (tempo is not None)
    for item in kinds["tempo"]:
        same(float(item["value"]), float(tempo), "jams tempo")
        assert 0 <= item["confidence"] <= 1


def parse_midi(data):
    """The events of a file's tracks as (tick, type, bytes); only what such a file may hold."""
    assert data[:8] == b"MThd\0\0\0\6"
    kind, count, quarter = struct.unpack(">HHH", data[8:14])
    assert kind == 1 and 0 < quarter < 0x8000
    at, events = 14, []
    for _ in range(count):
        assert data[at:at + 4] == b"MTrk"
        end = at + 8 + struct.unpack(">I", data[at + 4:at + 8])[0]
        at, tick, closed = at + 8, 0, False

        def variable():
            nonlocal at
            value = 0
            for _ in range(4):
                byte = data[at]
                at += 1
                value = value << 7 | byte & 0x7f
                if byte < 0x80:
                    return value
            raise AssertionError("a number of more than four bytes")

        while at < end:
            assert not closed
            tick += variable()
            assert data[at] == 0xff
            meta = data[at + 1]
            at += 2
            size = variable()
            events.append((tick, meta, data[at:at + size]))
            at += size
            closed = meta == 0x2f
        assert closed and at == end
    assert at == len(data)
    return quarter, events


def seconds_of(quarter, events):
    """A function from ticks to seconds."""
    tempi = [(0, 500000)] + [(t, int.from_bytes(b, "big")) for t, m, b in events if m == 0x51]

    def seconds(tick):
        total = 0
        for (start, tempo), (stop, _) in zip(tempi, tempi[1:] + [(tick, 0)]):
            total += max(0, min(stop, tick) - start) * tempo
        return total / quarter / 1e6
    return seconds


def check_midi_events(quarter, events):
    seconds = seconds_of(quarter, events)
    tempi = [int.from_bytes(b, "big") for _, m, b in events if m == 0x51]
    assert all(0 < tempo < 1 << 24 for tempo in tempi)
    ends = {}
    tick = bar = 0
    metres = [(t, b[0], 1 << b[1]) for t, m, b in events if m == 0x58]
    assert all(0 < n for _, n, _ in metres) and metres == sorted(metres, key=lambda m: m[0])
    assert len(set(t for t, _, _ in metres)) == len(metres)
    last = max([t for t, _, _ in events] + [0])
    lines = []
    for (start, beats_in_bar, unit), (stop, _, _) in zip(metres, metres[1:] + [(last + 1, 0, 0)]):
        length = quarter * 4 // unit * beats_in_bar
        ticks = range(start, stop, length)
        lines += ticks
        assert stop == last + 1 or (stop - start) % length == 0, "a metre that changes within a bar"
    # Every beat on a tick of its own, every downbeat on a bar line.
    ticks = {}
    for line in range(0, last + quarter, quarter // 8):
        ticks[line] = seconds(line)
    by_time = sorted(ticks.items())
    at = 0
    for beat, position in zip(beats, positions):
        while at + 1 < len(by_time) and abs(by_time[at + 1][1] - beat) <= abs(by_time[at][1] - beat):
            at += 1
        # Half a microsecond for each quarter since the beat before, or since the start.
        same(by_time[at][1], float(beat), "midi beat", 5e-5)
        if position == 1:
            assert by_time[at][0] in lines, ("midi bar line", beat)
    markers = [(t, b) for t, m, b in events if m == 0x06]
    same([b.decode() for _, b in markers], [clean(s["label"]) for s in segments], "midi")
    same([seconds(t) for t, _ in markers], [float(s["start"]) for s in segments], "midi", 0.001)
    same(seconds(last), float(duration), "midi end", 0.001)


def check_midi():
    with open(name + ".mid", "rb") as file:
        quarter, events = parse_midi(file.read())
    check_midi_events(quarter, events)
    try:
        import mido
    except ImportError:
        print("skipped: mido is not installed")
        return
    # Within "rb": older versions take names only.
    file = mido.MidiFile(name + ".mid", charset="utf-8")
    same([file.type, file.ticks_per_beat], [1, quarter], "mido")
    found, tick = [], 0
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        if message.type == "set_tempo":
            found.append((tick, 0x51, message.tempo.to_bytes(3, "big")))
        elif message.type == "marker":
            found.append((tick, 0x06, message.text.encode()))
        elif message.type == "time_signature":
            unit = int(math.log2(message.denominator))
            found.append((tick, 0x58, bytes([message.numerator, unit, message.clocks_per_click,
                                             message.notated_32nd_notes_per_beat])))
        elif message.type == "end_of_track":
            found.append((tick, 0x2f, b""))
        elif message.type == "track_name":
            same(message.name, clean(title), "mido")
    same(found, [event for event in events if event[1] != 0x03], "mido")


def check_sonic_visualiser():
    root = xml.parse(name + ".svl").getroot()
    models = {m.get("name"): m for m in root.find("data").findall("model")}
    sets = {d.get("id"): d for d in root.find("data").findall("dataset")}
    layers = {layer.get("type"): layer.get("model") for layer in root.find("display").findall("layer")}
    same(layers, {"timeinstants": models["Beats"].get("id"), "regions": models["Sections"].get("id")}, "svl")
    rate = int(models["Beats"].get("sampleRate"))
    same(rate, result.get("provenance", {}).get("input", {}).get("sample_rate") or 44100, "svl")
    points = sets[models["Beats"].get("dataset")].findall("point")
    same([[int(p.get("frame")) / rate, int(p.get("label"))] for p in points],
         list(zip(map(float, beats), positions)), "svl", 0.5 / rate)
    regions = sets[models["Sections"].get("dataset")].findall("point")
    same([[int(p.get("frame")) / rate, (int(p.get("frame")) + int(p.get("duration"))) / rate,
           p.get("label")] for p in regions],
         [[float(s["start"]), float(s["end"]), clean(s["label"])] for s in segments], "svl", 0.5 / rate)
    heights = {}
    for p in regions:
        same(heights.setdefault(p.get("label"), p.get("value")), p.get("value"), "svl")
    assert len(set(heights.values())) == len(heights)


def check_rekordbox():
    root = xml.parse(name + ".rekordbox.xml").getroot()
    assert root.tag == "DJ_PLAYLISTS" and root.get("Version") == "1.0.0"
    tracks = root.find("COLLECTION").findall("TRACK")
    same([len(tracks), root.find("COLLECTION").get("Entries")], [1, "1"], "rekordbox")
    same(tracks[0].get("Name"), clean(title), "rekordbox")
    location = urllib.parse.urlsplit(tracks[0].get("Location"))
    same([location.scheme, location.netloc], ["file", "localhost"], "rekordbox")
    path = result["path"] if result["path"].startswith("/") else "/" + result["path"]
    same(urllib.parse.unquote(location.path), path, "rekordbox")
    same(float(tracks[0].get("AverageBpm")), float(result.get("tempo") or result["bpm"] or 0), "rekordbox",
         0.0051)
    marks = tracks[0].findall("POSITION_MARK")
    same([[float(m.get("Start")), m.get("Name"), m.get("Type"), m.get("Num")] for m in marks],
         [[s["start"], clean(s["label"]), "0", "-1"] for s in segments], "rekordbox")
    grids = [[float(t.get("Inizio")), float(t.get("Bpm")), int(t.get("Metro").split("/")[0]),
              int(t.get("Battito"))] for t in tracks[0].findall("TEMPO")]
    assert bool(grids) == bool(beats)
    # Each beat is one of the grid that holds, with its place in the bar. Half a beat before the next
    # grid belongs to it.
    at = 0
    for beat, position in zip(beats, positions):
        while at + 1 < len(grids) and grids[at + 1][0] <= beat + 0.013:
            at += 1
        start, bpm, metre, first = grids[at]
        number = round((beat - start) * bpm / 60)
        same(start + number * 60 / bpm, float(beat), "rekordbox beat", 0.0126)
        same((first - 1 + number) % metre + 1, position, "rekordbox position")


def check_chapters():
    podcast = json.loads(text(".chapters"))
    same(podcast["version"], "1.2.0", "podcast")
    same(podcast["title"], title, "podcast")
    same([[c["startTime"], c["endTime"], c["title"]] for c in podcast["chapters"]],
         [[s["start"], s["end"], s["label"]] for s in solid], "podcast")
    cues = re.findall(r"\n\n(\d+)\n([\d:.]+) --> ([\d:.]+)\n(.*)", text(".vtt"))
    assert text(".vtt").startswith("WEBVTT\n")
    unescape = lambda words: words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    same([[clock(a), clock(b), unescape(c)] for _, a, b, c in cues], labelled, "webvtt")
    if not shutil.which("ffprobe"):
        print("skipped: ffprobe is not installed")
        return

    def probe(*words):
        said = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *words], check=True,
                              stdout=subprocess.PIPE)
        return json.loads(said.stdout.decode("utf-8"))

    said = probe("-show_chapters", "-show_format", "-f", "ffmetadata", name + ".ffmetadata")
    same([[float(c["start_time"]), float(c["end_time"]), c["tags"]["title"]] for c in said["chapters"]],
         labelled, "ffprobe chapters")
    same(said["format"]["tags"]["title"], clean(title), "ffprobe title")
    if solid:
        packets = probe("-show_packets", "-f", "webvtt", name + ".vtt")["packets"]
        same([[float(p["pts_time"]), float(p["duration_time"])] for p in packets],
             [[s["start"], s["end"] - s["start"]] for s in solid], "ffprobe webvtt", 0.0011)


check_lists()
check_harmonix()
check_csv()
check_reaper()
check_jams()
check_midi()
check_sonic_visualiser()
check_rekordbox()
check_chapters()
print("all formats agree")
