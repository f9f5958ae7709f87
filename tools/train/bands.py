"""Renders songs for a band of our own: drum patterns, bass lines and accompaniments that are drawn here, style by
style, where render.py has MMA's. In every style the beat is the one that listeners tap, so that slow music is told
from fast by what is played: the snare on two and four, the walking bass, the accompaniment's turn.

Writes DATA/spec/b_NNNNN.npy and DATA/truth/b_NNNNN.json as render.py does; the number is the seed. The first styles are
in all parts, songs in one; the busy ones that came later are for training alone, so that the test stays what it was."""
import math
import random

import midi
from render import DRUMS, Arrangement, part_of_seed, perform, render_all

TICKS = 240  # a quarter; where a beat has three parts, one of these
SIDESTICK, SNARE, CLAP, SHUT, FOOT, OPEN, RIDE, BELL, TAMBOURINE = 37, 38, 39, 42, 44, 46, 51, 53, 54
COWBELL, HIGH_BONGO, LOW_BONGO, SLAP, CONGA, LOW_CONGA, MARACAS, GUIRO, CLAVES = 56, 60, 61, 62, 63, 64, 70, 73, 75
STANDARD, ROOM, POWER, ELECTRONIC, ANALOGUE, JAZZ, BRUSH = 0, 8, 16, 24, 25, 32, 40
BASSES = {"finger": [32, 33, 34, 35, 36], "synth": [38, 39, 87], "upright": [32, 43], "low strings": [42, 43, 47, 58]}
KEYBOARDS, GUITARS = [0, 1, 2, 4, 5, 16, 17, 18], [24, 25, 26, 27, 28, 29, 30]
PADS, SYNTHS = [48, 49, 50, 51, 52, 89, 90, 91, 95], [80, 81, 82, 62, 63, 84, 90]
EIGHTHS_SWUNG, SIXTEENTHS_SWUNG, TRIPLETS_SWUNG = "eighths", "sixteenths", "triplets"


class Style:
    """How a band plays. Patterns have one place for each part of a beat (spaces do not count): 0 is never, 9 always,
    what is between is ninths of a chance that is drawn once for a song. Rows are (drums to choose from, patterns to
    choose from)."""

    def __init__(self, weight, tempo, rows, bass, comp, beats=4, parts=4, swing=None, kits=(STANDARD, ROOM),
                 basses="finger", sounds=tuple(KEYBOARDS + GUITARS + PADS), machine=0.3):
        self.weight, self.tempo, self.rows, self.bass, self.comp = weight, tempo, rows, bass, comp
        self.beats, self.parts, self.swing, self.kits = beats, parts, swing, kits
        self.basses, self.sounds, self.machine = basses, sounds, machine


KICKS = [35, 36]
TOMS = [41, 43, 45, 47]
SNARES = [SNARE, SNARE, 40]
BACKBEAT = (SNARES, ["0000 9000 0000 9000", "0000 9000 0000 9000", "0000 9001 0000 9001", "0000 9000 0100 9001"])
HATS_8 = "9090 9090 9090 9090"
HATS_4 = "9000 9000 9000 9000"
HATS_16 = "9999 9999 9999 9999"
OFF_8 = "0090 0090 0090 0090"
TWELVE_8 = "999 999 999 999"
CYMBALS = [SHUT, SHUT, SHUT, RIDE, OPEN]

STYLES = {
    "rock": Style(10, (84, 172), [
        (KICKS, ["9010 0021 3050 0030", "9000 0020 9050 0010", "9000 0000 9030 0000"]),
        BACKBEAT,
        (CYMBALS, [HATS_8, HATS_8, HATS_4])
    ], ["kick", "eighths", "eighths", "syncopated"], ["eighths", "held", "syncopated", "quarters"],
       kits=(STANDARD, ROOM, POWER)),
    "pop": Style(9, (88, 132), [
        (KICKS, ["9003 0030 6050 0020", "9000 0030 9030 0000", "9000 9000 9000 9000"]),
        ([SNARE, CLAP, 40], ["0000 9000 0000 9000"]),
        (CYMBALS, [HATS_8, HATS_16, OFF_8, HATS_4]),
        ([TAMBOURINE, MARACAS, CLAP], ["0000 0000 0000 0000", "5353 5353 5353 5353", "0000 9000 0000 9000"])
    ], ["kick", "eighths", "syncopated", "whole"], ["held", "eighths", "syncopated", "arpeggio", "quarters"],
       kits=(STANDARD, ROOM, ELECTRONIC), machine=0.6),
    "ballad": Style(8, (55, 86), [
        (KICKS, ["9000 0010 6020 0010", "9000 0000 9010 0000", "9003 0000 9030 0000"]),
        ([SNARE, SIDESTICK, 40], ["0000 9000 0000 9000", "0000 9000 0000 9001"]),
        (CYMBALS, [HATS_8, HATS_8, HATS_16, HATS_4])
    ], ["whole", "kick", "two", "syncopated"], ["held", "arpeggio", "quarters", "eighths"]),
    "disco": Style(6, (108, 130), [
        (KICKS, ["9000 9000 9000 9000"]),
        ([SNARE, CLAP], ["0000 9000 0000 9000"]),
        ([OPEN], [OFF_8, "0000 0000 0000 0000"]),
        ([SHUT], [HATS_8, "9303 9303 9303 9303", HATS_16])
    ], ["octaves", "offbeats", "syncopated", "kick"], ["offbeats", "syncopated", "held", "stabs"],
       kits=(STANDARD, ELECTRONIC, ANALOGUE), machine=0.7),
    "house": Style(6, (116, 150), [
        (KICKS, ["9000 9000 9000 9000"]),
        ([CLAP, SNARE, SIDESTICK], ["0000 9000 0000 9000", "0000 0000 0000 0000"]),
        ([OPEN, SHUT], [OFF_8]),
        ([SHUT, MARACAS], [HATS_16, "5252 5252 5252 5252", "0000 0000 0000 0000"])
    ], ["offbeats", "syncopated", "octaves", "sixteenths"],
       ["stabs", "syncopated", "held", "sixteenths", "offbeats"], kits=(ELECTRONIC, ANALOGUE), basses="synth",
       sounds=SYNTHS + PADS, machine=1.0),
    "hip hop": Style(6, (72, 106), [
        (KICKS, ["9002 0130 2052 0120", "9000 0001 0090 0020", "9003 0010 0390 0000"]),
        ([SNARE, CLAP, 40], ["0000 9000 0000 9000", "0000 9001 0100 9000"]),
        ([SHUT], [HATS_8, HATS_8, "9595 9595 9595 9595", HATS_16])
    ], ["kick", "whole", "syncopated"], ["held", "syncopated", "stabs", "arpeggio"],
       swing=(SIXTEENTHS_SWUNG, 0.5, 0.63), kits=(STANDARD, ELECTRONIC, ANALOGUE), basses="synth", machine=0.8),
    "trap": Style(3, (62, 82), [
        (KICKS, ["9001 0010 2030 0011", "9000 0030 0090 0003"]),
        ([SNARE, CLAP], ["0000 9000 0000 9000"]),
        ([SHUT], [HATS_16, "9999 9595 9999 9959"])
    ], ["kick", "whole"], ["held", "arpeggio", "syncopated"], kits=(ELECTRONIC, ANALOGUE), basses="synth",
       sounds=SYNTHS + PADS + [11, 14], machine=1.0),
    "drum and bass": Style(3, (158, 180), [
        (KICKS, ["9000 0000 0090 0000", "9000 0020 0090 0000"]),
        ([SNARE, 40], ["0000 9001 0101 9000", "0000 9000 0000 9000"]),
        ([SHUT, RIDE], [HATS_8, HATS_4])
    ], ["whole", "syncopated", "eighths"], ["held", "stabs", "syncopated"], kits=(STANDARD, ELECTRONIC),
       basses="synth", sounds=SYNTHS + PADS, machine=1.0),
    "breakbeat": Style(3, (96, 142), [
        (KICKS, ["9040 0030 0130 0020", "9090 0000 0090 0010"]),
        ([SNARE], ["0000 9001 0100 9001", "0000 9002 0201 9000"]),
        ([SHUT, RIDE], [HATS_8, HATS_16])
    ], ["syncopated", "kick", "eighths"], ["stabs", "syncopated", "held"], swing=(SIXTEENTHS_SWUNG, 0.5, 0.6),
       machine=0.6),
    "funk": Style(6, (86, 122), [
        (KICKS, ["9030 0031 2150 0130", "9040 0000 0390 0030"]),
        ([SNARE], ["0102 9012 0210 9021", "0000 9001 0101 9000"]),
        ([SHUT], [HATS_16, HATS_8, "9393 9393 9393 9393"])
    ], ["syncopated", "syncopated", "kick"], ["syncopated", "sixteenths", "stabs", "offbeats"],
       swing=(SIXTEENTHS_SWUNG, 0.5, 0.58)),
    "soul": Style(4, (66, 126), [
        (KICKS, ["9000 0030 9030 0010", "9003 0000 9050 0000"]),
        BACKBEAT,
        (CYMBALS, [HATS_8, HATS_4]),
        ([TAMBOURINE], ["0000 0000 0000 0000", "0000 9000 0000 9000", HATS_8])
    ], ["syncopated", "kick", "quarters"], ["held", "quarters", "syncopated", "chick"],
       swing=(EIGHTHS_SWUNG, 0.5, 0.6)),
    "reggae": Style(5, (62, 94), [
        (KICKS, ["0000 9000 0000 9000", "1000 9000 1000 9000", "9000 9000 9000 9000", "9000 0000 9000 0000"]),
        ([SIDESTICK, SNARE], ["0000 9000 0000 9000"]),
        ([SHUT], [HATS_8, "9393 9393 9393 9393"])
    ], ["syncopated", "kick", "eighths"], ["skank", "skank", "skank sixteenths"],
       swing=(SIXTEENTHS_SWUNG, 0.5, 0.63)),
    "ska": Style(2, (104, 150), [
        (KICKS, ["9000 0000 9000 0000", "9000 0000 9020 0000"]),
        BACKBEAT,
        ([SHUT], [HATS_8, HATS_4])
    ], ["walk", "eighths"], ["skank"]),
    "metal": Style(3, (92, 196), [
        (KICKS, ["9595 9595 9595 9595", "9999 9999 9999 9999", "9090 0090 9090 0090"]),
        BACKBEAT,
        ([RIDE, OPEN, 49, 52], [HATS_4, HATS_8])
    ], ["eighths", "sixteenths", "kick"], ["eighths", "sixteenths", "kick"], kits=(POWER, ROOM),
       sounds=[29, 30, 30]),
    "punk": Style(3, (148, 198), [
        (KICKS, ["9000 0010 9050 0000", "9000 0000 9000 0000"]),
        BACKBEAT,
        ([SHUT, OPEN, RIDE], [HATS_8, HATS_4])
    ], ["eighths", "quarters"], ["eighths", "quarters"], kits=(POWER, STANDARD), sounds=[29, 30, 27]),
    "country": Style(4, (84, 126), [
        (KICKS, ["9000 0000 9000 0000"]),
        ([SNARE, SIDESTICK], ["5595 9595 5595 9595", "0000 9000 0000 9000", "3393 9393 3393 9393"]),
        ([SHUT], ["0000 0000 0000 0000", HATS_8])
    ], ["two", "two", "walk"], ["chick", "boom", "eighths"], kits=(STANDARD, BRUSH),
       sounds=[24, 25, 26, 27, 0, 105], swing=(EIGHTHS_SWUNG, 0.5, 0.6)),
    "swing": Style(7, (96, 198), [
        ([RIDE, BELL, SHUT], ["900 905 900 905", "900 909 900 909"]),
        ([FOOT], ["000 900 000 900"]),
        (KICKS, ["400 400 400 400", "000 000 000 000", "001 010 001 010"]),
        (SNARES, ["001 001 010 002", "000 100 001 010"])
    ], ["walk", "walk", "two"], ["charleston", "syncopated", "held", "quarters"], parts=3,
       swing=(TRIPLETS_SWUNG, 0.58, 0.72), kits=(JAZZ, BRUSH, STANDARD), basses="upright",
       sounds=[0, 1, 4, 26, 11, 16, 17]),
    "shuffle": Style(6, (72, 142), [
        ([SHUT, RIDE], ["909 909 909 909", "900 900 900 900"]),
        (KICKS, ["900 001 900 002", "900 900 900 900", "900 000 901 000"]),
        (SNARES, ["000 900 000 900", "001 900 001 901"])
    ], ["walk", "shuffle", "quarters"], ["shuffle", "chick", "held", "charleston"], parts=3,
       swing=(TRIPLETS_SWUNG, 0.6, 0.7)),
    "slow blues": Style(5, (58, 82), [
        ([SHUT, RIDE], [TWELVE_8]),
        (KICKS, ["900 001 900 002", "900 000 901 000"]),
        (SNARES, ["000 900 000 900", "000 900 000 901"])
    ], ["walk", "quarters", "shuffle", "two"], ["eighths", "held", "arpeggio", "charleston"], parts=3),
    "slow rock": Style(4, (58, 92), [
        ([SHUT, RIDE], [TWELVE_8]),
        (KICKS, ["900 002 900 001", "900 000 902 000"]),
        (SNARES + [SIDESTICK], ["000 900 000 900"])
    ], ["kick", "whole", "quarters"], ["eighths", "arpeggio", "held"], parts=3),
    "six eight": Style(3, (58, 96), [
        ([SHUT, RIDE], ["999 999"]),
        (KICKS, ["900 001", "900 000"]),
        (SNARES + [SIDESTICK], ["000 900"])
    ], ["kick", "quarters"], ["eighths", "arpeggio", "held"], beats=2, parts=3),
    "bossa nova": Style(3, (108, 156), [
        (KICKS, ["9000 0060 9000 0060", "9000 0000 9000 0000"]),
        ([SIDESTICK], ["9000 0090 0000 9000 0000 9000 0090 0000", "0000 9000 0090 0000 9000 0090 0000 9000"]),
        ([SHUT, MARACAS], [HATS_8])
    ], ["bossa"], ["syncopated", "charleston", "held"], sounds=[24, 26, 0, 4], basses="upright"),
    "samba": Style(2, (86, 112), [
        ([35], ["9009 9009 9009 9009", "3000 9003 3000 9003"]),
        ([SNARE, SIDESTICK], ["5352 3535 5352 3535", "9090 9909 0909 0909"]),
        ([MARACAS, SHUT], [HATS_16])
    ], ["samba", "two"], ["syncopated", "sixteenths"], sounds=[24, 0, 4, 25]),
    "cha cha": Style(3, (110, 130), [
        ([COWBELL], [HATS_4]),
        ([SLAP], ["0000 9000 0000 0000"]),
        ([LOW_CONGA, CONGA], ["0000 0000 0000 9090"]),
        ([GUIRO, MARACAS, SHUT], ["9000 9090 9000 9090", HATS_8])
    ], ["tumbao", "two"], ["offbeats", "syncopated", "quarters"], sounds=[0, 1, 24, 56, 61]),
    "rumba": Style(3, (86, 112), [
        ([MARACAS, SHUT], [HATS_8]),
        ([SIDESTICK, CLAVES], ["9000 0090 0000 9000 0000 9000 9000 0000", "0000 0000 0000 0000"]),
        ([LOW_CONGA, LOW_BONGO], ["0000 0000 0000 9090", "0000 0000 9000 9000"]),
        ([HIGH_BONGO, SLAP], ["3090 9030 3090 0030", "0090 9000 0090 0000"])
    ], ["rumba", "tumbao"], ["syncopated", "held", "offbeats", "arpeggio"], sounds=[24, 0, 48, 56]),
    "salsa": Style(3, (160, 198), [
        ([COWBELL, BELL], ["9000 9090 9000 9090", "9000 0000 9000 0000"]),
        ([CONGA, LOW_CONGA], ["0000 0000 0000 9090"]),
        ([SLAP], ["0000 9000 0000 0000"]),
        ([CLAVES, SIDESTICK], ["0000 9000 9000 0000 9000 0090 0000 9000", "9000 0090 0000 9000 0000 9000 9000 0000"])
    ], ["tumbao"], ["montuno"], sounds=[0, 1, 56]),
    "tango": Style(2, (112, 134), [
        ([SNARE], ["0000 0000 0000 0000", "9000 0000 9000 0090"])
    ], ["quarters", "two"], ["quarters", "stabs", "quarters"], sounds=[21, 22, 40, 48, 0]),
    "march": Style(2, (96, 132), [
        (KICKS, [HATS_4, "9000 0000 9000 0000"]),
        (SNARES, ["9000 9099 9000 9999", "0000 9000 0000 9000", "9099 9090 9099 9000"]),
        ([49], ["0000 0000 0000 0000", "9000 0000 9000 0000"])
    ], ["quarters", "two"], ["offbeats", "offbeats", "chick"], sounds=[61, 56, 57, 58, 73],
       swing=(EIGHTHS_SWUNG, 0.5, 0.55)),
    "waltz": Style(6, (84, 198), [
        (KICKS, ["9000 0000 0000"]),
        (SNARES + [SHUT, FOOT], ["0000 9000 9000", "0000 9000 9000", "0000 6000 9000"]),
        ([RIDE, SHUT], ["0000 0000 0000", "9000 9000 9000", "9090 9090 9090"])
    ], ["whole", "first", "quarters"], ["pah", "pah", "arpeggio"], beats=3, sounds=[0, 21, 48, 24, 61, 16]),
    "jazz waltz": Style(3, (96, 198), [
        ([RIDE, SHUT], ["900 905 900", "900 900 905"]),
        ([FOOT], ["000 900 000", "000 900 900"]),
        (KICKS, ["900 000 000", "900 001 000"]),
        (SNARES, ["000 001 010"])
    ], ["walk", "first"], ["charleston", "held", "pah"], beats=3, parts=3, kits=(JAZZ, BRUSH), basses="upright",
       sounds=[0, 1, 4, 26]),
    "pop in three": Style(4, (84, 168), [
        (KICKS, ["9000 0000 0020", "9000 0010 0010"]),
        (SNARES, ["0000 0000 9000", "0000 9000 9000", "0000 9000 0000"]),
        (CYMBALS, ["9090 9090 9090", "9000 9000 9000"])
    ], ["kick", "eighths", "whole"], ["held", "arpeggio", "eighths", "pah"], beats=3),
    "folk": Style(4, (70, 136), [
        ([TAMBOURINE, MARACAS, SHUT], ["0000 9000 0000 9000", HATS_8]),
        (KICKS, ["9000 0000 9000 0000", "0000 0000 0000 0000"])
    ], ["two", "whole", "kick"], ["boom", "eighths", "arpeggio", "chick"], sounds=[24, 25, 105, 21]),
}

# From this song on, which is for training only, bands play one of these instead: what moves in sixteenths, at the slow
# tempi at which the double is most often taken for the beat, and what is so fast that the half is.
FIRST_BUSY = 900
BUSY_STYLES = {
    "sequencer": Style(5, (66, 104), [
        (KICKS, ["9000 9000 9000 9000", "9000 0000 9000 0000", "9000 0020 9030 0010"]),
        ([SNARE, CLAP, 40], ["0000 9000 0000 9000", "0000 9000 0000 9001"]),
        ([SHUT], [HATS_16, HATS_8, "9393 9393 9393 9393", OFF_8]),
        ([OPEN, MARACAS], ["0000 0000 0000 0000", OFF_8])
    ], ["sixteenths", "octaves", "offbeats", "kick"], ["sequence", "sequence", "sixteenths", "held"],
       kits=(ELECTRONIC, ANALOGUE), basses="synth", sounds=SYNTHS + PADS, machine=1.0),
    "chip": Style(4, (72, 164), [
        (KICKS, ["9000 0000 9000 0000", "9003 0030 9030 0000", "9000 9000 9000 9000"]),
        ([SNARE, SIDESTICK, 40], ["0000 9000 0000 9000", "0000 9002 0000 9012"]),
        ([SHUT], [HATS_8, HATS_16, "0000 0000 0000 0000"])
    ], ["octaves", "eighths", "syncopated", "sixteenths"], ["sequence", "sequence", "syncopated", "eighths"],
       kits=(ELECTRONIC, ANALOGUE), basses="synth", sounds=[80, 81, 82, 87], machine=1.0),
    "epic": Style(4, (64, 108), [
        (TOMS, ["9099 9090 9099 9999", "9000 9000 9000 9090", "9090 0990 9090 9099", "9033 5033 9033 5033"]),
        (SNARES + [57], ["0000 9000 0000 9000", "0000 0000 0000 0000", "0000 9099 0000 9999"]),
        (KICKS, ["9000 0000 0000 0000", "9000 0000 9000 0000"])
    ], ["whole", "sixteenths", "eighths", "first"], ["sixteenths", "sequence", "held", "stabs"], kits=(POWER, ROOM),
       basses="low strings", sounds=[44, 45, 46, 48, 49, 52, 60, 61], machine=0.5),
    "industrial": Style(3, (70, 104), [
        (KICKS, ["9000 9000 9000 9000", "9000 0090 9000 0000", "9009 0000 9009 0000"]),
        ([SNARE, CLAP, 40], ["0000 9000 0000 9000"]),
        ([SHUT, 52, OPEN], [HATS_16, HATS_8, HATS_4, "9999 9595 9999 9595"])
    ], ["sixteenths", "kick", "eighths"], ["sixteenths", "eighths", "kick", "sequence"], kits=(POWER, ELECTRONIC),
       basses="synth", sounds=[29, 30, 81, 84, 90], machine=0.9),
    "dembow": Style(2, (82, 104), [
        (KICKS, ["9000 9000 9000 9000", "9000 0000 9000 0000"]),
        ([SNARE, CLAP, SIDESTICK], ["0009 0090 0009 0090"]),
        ([SHUT, MARACAS], [HATS_8, HATS_16, "0000 0000 0000 0000"])
    ], ["kick", "whole", "syncopated"], ["syncopated", "held", "sequence", "offbeats"], kits=(ELECTRONIC, ANALOGUE),
       basses="synth", machine=0.9),
    "gallop": Style(3, (78, 116), [
        (KICKS, ["9099 9099 9099 9099", "9099 0099 9099 0099", HATS_16]),
        BACKBEAT,
        ([RIDE, OPEN, 49, 52], [HATS_4, HATS_8])
    ], ["kick", "sixteenths"], ["kick", "sixteenths", "held"], kits=(POWER, ROOM), sounds=[29, 30, 30, 48]),
    "tribal": Style(3, (76, 128), [
        (TOMS, ["9009 0090 9009 0090", "9090 9909 0909 9090", "9393 9393 9393 9393"]),
        ([CONGA, LOW_BONGO, SLAP], ["3993 3993 3993 3993", "0099 0099 0099 0099", "0000 9000 0000 9000"]),
        ([MARACAS, TAMBOURINE, SHUT], [HATS_16, HATS_8, "0000 0000 0000 0000"]),
        (KICKS, ["9000 9000 9000 9000", "9000 0000 9000 0000"])
    ], ["whole", "syncopated", "kick"], ["held", "sequence", "syncopated", "stabs"],
       sounds=[11, 12, 13, 73, 75, 77, 104, 107, 48, 89], machine=0.5),
    "thrash": Style(2, (168, 212), [
        (KICKS, ["9000 0000 9000 0000", "9090 0000 9090 0000", "9090 9090 9090 9090"]),
        BACKBEAT,
        ([SHUT, OPEN, RIDE, 52], [HATS_4, HATS_8])
    ], ["eighths", "quarters"], ["eighths", "quarters", "held"], kits=(POWER, STANDARD), sounds=[29, 30, 27, 62, 48]),
    "galop": Style(2, (168, 212), [
        (KICKS, ["9000 0000 9000 0000"]),
        (SNARES + [SHUT], ["0000 9000 0000 9000", "0000 9000 0000 9090"]),
        ([TAMBOURINE, SHUT], ["0000 0000 0000 0000", HATS_4, HATS_8])
    ], ["two", "two", "walk"], ["chick", "chick", "eighths", "quarters"], sounds=[21, 22, 0, 56, 57, 24, 105]),
}


def draw(rng, pattern, parts):
    """[(place in beats, loudness 0 to 1)] of one pattern, its chances drawn."""
    places = [int(c) for c in pattern if c.isdigit()]
    found = []
    for i, chance in enumerate(places):
        if chance == 9 or rng.random() * 9 < chance:
            strong = 1.0 if i % parts == 0 else 0.85 if 2 * i % parts == 0 else 0.72
            found.append((i / parts, strong if chance == 9 else strong * 0.75))
    return found


class Pattern:
    """What the band plays in a section: for each row of drums the hits of a bar and of the one after; what bass and
    accompaniment do; places for what is syncopated."""

    def __init__(self, rng, style):
        self.drums = []
        for drums, patterns in style.rows:
            pattern = rng.choice(patterns)
            bars = sum(c.isdigit() for c in pattern) // (style.parts * style.beats)
            hits = draw(rng, pattern, style.parts)
            if bars == 2:
                first = [(place, loud) for place, loud in hits if place < style.beats]
                second = [(place - style.beats, loud) for place, loud in hits if place >= style.beats]
            else:
                # Every second bar may be another draw of the same chances.
                first, second = hits, draw(rng, pattern, style.parts) if rng.random() < 0.4 else hits
            self.drums.append((rng.choice(drums), [first, second]))
        kicks = next((bars for drum, bars in self.drums if drum in KICKS), [[], []])
        self.kick = [[place for place, _ in bar] or [0.0] for bar in kicks]
        self.bass = rng.choice(style.bass)
        self.comp = [rng.choice(style.comp) for _ in range(rng.choice([1, 1, 2]))]
        off = (style.parts + 1) // 2 / style.parts
        places = style.beats * style.parts
        self.random = [sorted({0.0 if rng.random() < 0.8 else off} |
                              {rng.randrange(places) / style.parts for _ in range(rng.randint(2, 5))}) for _ in range(3)]


class Band(Arrangement):
    """A song in one style: what edit, tempo_map and truth_of need to know of it."""

    early = TICKS // 8

    def __init__(self, seed):
        rng = self.rng = random.Random(f"allin1 band {seed}")
        styles, self.part = (STYLES, part_of_seed(seed)) if seed < FIRST_BUSY else (BUSY_STYLES, "train")
        self.family = rng.choices(list(styles), [s.weight for s in styles.values()])[0]
        style = self.style = styles[self.family]
        self.compound = style.parts == 3
        self.bar = style.beats * (3 if self.compound else 1)
        self.kind = rng.choices(["full", "drumless", "soft"], [0.82, 0.12, 0.06])[0]
        self.machine = rng.random() < style.machine
        self.motion = "steady" if self.machine else rng.choices(["steady", "drift", "rubato"], [0.5, 0.42, 0.08])[0]
        self.tempo = math.exp(rng.uniform(*map(math.log, style.tempo)))
        self.quarter = 60 / self.tempo / (3 if self.compound else 1)
        self.swing = (style.swing[0], rng.uniform(*style.swing[1:])) if style.swing and rng.random() < 0.7 else None
        self.middle_third = not (style.swing and style.swing[0] == TRIPLETS_SWUNG)
        verse = Pattern(rng, style)
        others = [Pattern(rng, style) for _ in range(2)]
        self.lay_out(lambda symbol: verse if symbol in "ivpo" else others[0] if symbol in "cn" else
                     rng.choice(others + [verse]))

    def swung(self, tick):
        unit = TICKS * (3 if self.compound else 1)
        beat, part = divmod(tick / unit, 1)
        if self.swing:
            kind, late = self.swing
            bend = lambda x: x * 2 * late if x < 0.5 else late + (x - 0.5) * 2 * (1 - late)
            if kind == EIGHTHS_SWUNG:
                part = bend(part)
            elif kind == TRIPLETS_SWUNG:
                part = bend(part * 3 / 4 if part < 2 / 3 else 0.5 + (part - 2 / 3) * 3 / 2)
            else:
                half, rest = divmod(part * 2, 1)
                part = (half + bend(rest)) / 2
        return round((beat + part) * unit)


def bass_line(band, pattern, bar):
    """[(place, length in beats, step of the chord: 0 the root, 1 third, 2 fifth, 3 octave, -1 a neighbour of the next
    root)]"""
    beats = band.style.beats
    line = {"whole": [(0, beats, 0)], "first": [(0, 1, 0)],
            "quarters": [(i, 1, 0) for i in range(beats)], "eighths": [(i / 2, 0.5, 0) for i in range(2 * beats)],
            "two": [(i, 1, 0 if i % 4 == 0 else 2) for i in range(0, beats, 2)],
            "walk": [(i, 1, [0, 1, 2, -1][i * 3 // max(1, beats - 1)]) for i in range(beats)],
            "octaves": [(i / 2, 0.5, 3 * (i % 2)) for i in range(2 * beats)],
            "offbeats": [(i + 0.5, 0.5, 0) for i in range(beats)],
            "sixteenths": [(i / 4, 0.25, 0) for i in range(4 * beats)],
            "shuffle": [(i + o, 0.34, [0, 0, 1, 2][i % 4] if o == 0 else 0) for i in range(beats) for o in (0, 2 / 3)],
            "samba": [(i + p, l, 2 * (i % 2)) for i in range(beats) for p, l in ((0, 0.7), (0.75, 0.25))],
            "bossa": [(0, 1.5, 0), (1.5, 0.5, 2), (2, 1.5, 2), (3.5, 0.5, 0)],
            "rumba": [(0, 1.5, 0), (2, 1, 2), (3, 1, 3)],
            "tumbao": [(1.5, 1.5, 2), (3, 1, 0)] if bar else [(0, 1.5, 0), (1.5, 1.5, 2), (3, 1, 0)],
            "kick": [(p, 0.5, 0) for p in pattern.kick[bar % 2]],
            "syncopated": [(p, 0.4, [0, 0, 2, 3][i % 4]) for i, p in enumerate(pattern.random[0])]}
    return line[pattern.bass]


def accompaniment(band, pattern, comp, layer, bar):
    """[(place, length in beats, notes of the chord: None for all, or one's index)]"""
    beats, parts = band.style.beats, band.style.parts
    whole = range(beats)
    fine = [i / parts for i in range(beats * parts)]
    every = fine if parts == 3 else [i / 2 for i in range(2 * beats)]
    rolled = fine if band.tempo < 90 else every
    broken = lambda places, length: [(p, length, [0, 1, 2, 3, 2, 1][i % 6]) for i, p in enumerate(places)]
    figures = {"held": lambda: [(0, beats, None)], "quarters": lambda: [(i, 0.8, None) for i in whole],
               "eighths": lambda: [(p, 0.4, None) for p in every],
               "sixteenths": lambda: [(p, 0.2, None) for p in fine],
               "sequence": lambda: broken(fine, 0.25),
               "offbeats": lambda: [(i + 0.5, 0.35, None) for i in whole],
               "skank": lambda: [(i + 0.5, 0.2, None) for i in whole],
               "skank sixteenths": lambda: [(i + o, 0.2, None) for i in whole for o in (0.5, 0.75)],
               "stabs": lambda: [(p, 0.25, None) for p in pattern.random[1 + layer][:3]],
               "syncopated": lambda: [(p, 0.45, None) for p in pattern.random[1 + layer]],
               "kick": lambda: [(p, 0.4, None) for p in pattern.kick[bar % 2]],
               "arpeggio": lambda: broken(rolled, 0.6),
               "chick": lambda: [(i, 0.5, None) for i in range(1, beats, 2)],
               "pah": lambda: [(i, 0.6, None) for i in range(1, beats)],
               "boom": lambda: [n for i in whole for n in
                                ([(i, 0.9, 0)] if i % 2 == 0 else [(i, 0.5, None), (i + 0.5, 0.4, None)])],
               "charleston": lambda: [(0, 0.6, None), (1 + (2 / 3 if parts == 3 else 0.5), 0.4, None)],
               "shuffle": lambda: [(i + o, 0.3, None) for i in whole for o in (0, 2 / 3)],
               "montuno": lambda: [(p, 0.4, k) for p, k in zip([0, 1, 1.5, 2.5, 3.5], [None, 0, None, 2, None])]}
    return figures[comp]()


def compose(band):
    """(notes, others) of the whole song: bass on channel 0, chords on 1 and 2, drums."""
    rng, style, notes, at = band.rng, band.style, [], 0
    unit = TICKS * (3 if band.compound else 1)
    per_ms = TICKS / band.quarter / 1000
    late = lambda ms: 0 if band.machine else round(rng.gauss(0, ms) * per_ms)
    lags = {name: 0 if band.machine else round(rng.gauss(mean, 4) * per_ms) for name, mean in
            (("kick", 0), ("snare", 3), ("hats", 0), ("bass", 4), ("chords", 0))}
    jitter = rng.uniform(1, 7)
    register = rng.randrange(50, 60)

    def put(place, length, channel, pitch, velocity, name, start):
        on = max(0, band.swung(start + place * unit) + lags[name] + late(jitter))
        velocity = max(1, min(127, int(velocity + rng.gauss(0, 5))))
        notes.append(midi.Note(on, on + max(20, int(length * unit)), channel, pitch, velocity))

    drum_level = rng.uniform(80, 118)
    levels = [rng.uniform(62, 108) for _ in range(3)]
    for section in band.sections:
        pattern = section["groove"]
        for index, (root, kind) in enumerate(section["chords"]):
            start = at + index * band.bar * TICKS
            for drum, bars in pattern.drums:
                name = "kick" if drum in KICKS else "snare" if drum in SNARES + [SIDESTICK, CLAP] else "hats"
                for place, loud in bars[index % 2]:
                    put(place, 0.2, DRUMS, drum, drum_level * loud, name, start)
            low = 28 + (root + section["key"] - 28) % 12
            low += 12 if low < 33 else 0
            third = 3 if kind.startswith("m") else 4
            following = section["chords"][(index + 1) % len(section["chords"])][0] + section["key"]
            target = 28 + (following - 28) % 12
            for place, length, step in bass_line(band, pattern, index):
                pitch = low + [0, third, 7, 12][step]
                if step < 0:
                    pitch = target + (12 if target < low - 4 else 0) + rng.choice([-1, 1, 2])
                put(place, length * 0.9, 0, pitch, levels[0], "bass", start)
            tones = [0, third, 7] + ([10] if kind.endswith("7") else [])
            chord = sorted(register + (root + section["key"] + n - register) % 12 for n in tones)
            for layer, comp in enumerate(pattern.comp):
                for place, length, which in accompaniment(band, pattern, comp, layer, index):
                    accent = 0 if place == 0 else -6
                    played = chord if which is None else [(chord + [chord[0] + 12])[which % (len(chord) + 1)]]
                    for pitch in played:
                        put(place, length, 1 + layer, pitch + 12 * layer, levels[1 + layer] + accent, "chords", start)
        at += section["bars"] * band.bar * TICKS
    # A key that is struck again is let go first, or its end would end what follows.
    sounding = {}
    for n in sorted(notes, key=lambda n: n.start):
        before = sounding.get((n.channel, n.pitch))
        if before:
            before.end = min(before.end, max(before.start + 1, n.start))
        sounding[n.channel, n.pitch] = n
    others = [(0, bytes([0xC0, rng.choice(BASSES[style.basses])])), (0, bytes([0xC0 | DRUMS, rng.choice(style.kits)]))]
    others += [(0, bytes([0xC0 | c, rng.choice(style.sounds)])) for c in (1, 2)]
    return notes, others


def make(seed, tool, data, work):
    band = Band(seed)
    perform(band, TICKS, *compose(band), tool, data, f"b_{seed:05d}", work)


if __name__ == "__main__":
    render_all(__doc__, "b", 1080, make)
