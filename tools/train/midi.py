"""Standard MIDI files, as far as rendering songs with known truth needs them: notes and programs in ticks,
and a tempo map that is written anew."""
import collections
import struct

Content = collections.namedtuple("Content", "division notes others tempi metres")


class Note:
    __slots__ = ("start", "end", "channel", "pitch", "velocity")

    def __init__(self, start, end, channel, pitch, velocity):
        self.start, self.end, self.channel, self.pitch, self.velocity = start, end, channel, pitch, velocity


def _variable(data, at):
    value = 0
    while True:
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at


def read(data):
    """A song's content: division (ticks per quarter), notes, others [(tick, channel message bytes)] of everything
    that is not a note, tempi [(tick, seconds a quarter)] and metres [(tick, numerator, denominator)]."""
    if data[:4] != b"MThd":
        raise ValueError("not a MIDI file")
    _, tracks, division = struct.unpack(">HHH", data[8:14])
    at, notes, others, tempi, metres = 14, [], [], [], []
    for _ in range(tracks):
        size = struct.unpack(">I", data[at + 4:at + 8])[0]
        track, at = data[at + 8:at + 8 + size], at + 8 + size
        tick = place = running = 0
        sounding = {}
        while place < len(track):
            delta, place = _variable(track, place)
            tick += delta
            status = track[place]
            if status >= 0x80:
                place += 1
            else:
                status = running
            if status in (0xFF, 0xF0, 0xF7):
                meta = -1
                if status == 0xFF:
                    meta = track[place]
                    place += 1
                length, place = _variable(track, place)
                if meta == 0x51 and length == 3:
                    tempi.append((tick, int.from_bytes(track[place:place + 3], "big") / 1e6))
                if meta == 0x58 and length >= 2:
                    metres.append((tick, track[place], 1 << track[place + 1]))
                place += length
                continue
            running = status
            count = 1 if status >> 4 in (0xC, 0xD) else 2
            message = track[place:place + count]
            place += count
            kind, channel = status >> 4, status & 15
            if kind in (8, 9):
                key = (channel, message[0])
                if key in sounding:
                    start, velocity = sounding.pop(key)
                    if tick > start:
                        notes.append(Note(start, tick, channel, message[0], velocity))
                if kind == 9 and message[1]:
                    sounding[key] = (tick, message[1])
            else:
                others.append((tick, bytes([status]) + message))
    return Content(division, notes, others, sorted(tempi), sorted(metres))


def write(division, notes, others, tempi):
    """One track. `tempi`: [(tick, microseconds a quarter)]."""
    events = [(tick, 0, b"\xff\x51\x03" + int(us).to_bytes(3, "big")) for tick, us in tempi]
    events += [(tick, 1, message) for tick, message in others]
    for note in notes:
        events.append((note.start, 3, bytes([0x90 | note.channel, note.pitch, note.velocity])))
        events.append((note.end, 2, bytes([0x80 | note.channel, note.pitch, 0])))
    events.sort(key=lambda event: event[:2])
    track, last = bytearray(), 0
    for tick, _, message in events:
        delta, last = tick - last, tick
        digits = [delta & 0x7F]
        while delta > 0x7F:
            delta >>= 7
            digits.append(delta & 0x7F | 0x80)
        track += bytes(reversed(digits)) + message
    track += b"\x00\xff\x2f\x00"
    return (b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(track)) +
            bytes(track))
