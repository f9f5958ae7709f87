"""A trained student to the program's weight file (.a1w, docs/FORMATS.md): matrices in 8 bits with a scale for each
output, all else in float16; and its views of a song: by how many bands each moves it, and how many times as fast it plays
it; only views at the song's own tempo, where there are any, tell sections and functions. The run may also be such a file,
which gets other constants."""
import argparse
import hashlib
import pathlib
import struct

import numpy as np

ALIGNMENT, CHUNK = 64, 4 << 20
KINDS = {"<f2": 1, "|i1": 4}  # by numpy's names
VIEWS = ("shifts", "tempos")  # the tensors with a number for each view
SHIFTS = (0, 1, -1)


def digest_of(tensors):
    """The program's digest of a set of tensors: it does not depend on the file's form."""
    h = hashlib.sha256(b"allin1 tensors\0")
    for name, values in tensors:
        h.update(name.encode() + b"\0" + struct.pack("<I", values.ndim))
        h.update(struct.pack(f"<{values.ndim}Q", *values.shape))
        h.update(values.astype("<f4").tobytes())
    return h.hexdigest()


def aligned(size):
    return (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def mapped(tensors, texts):
    """The file's bytes."""
    entries = b"".join(struct.pack("<II", len(k), len(v)) + k + b"\0" + v + b"\0" for k, v in texts)
    sizes = [values.nbytes for _, values in tensors]
    heads = sum(32 + 8 * values.ndim + len(name) + 1 for name, values in tensors)
    directory = len(entries) + heads
    at, places = aligned(128 + directory), []
    for size in sizes:
        places.append(at)
        at = aligned(at + size)
    total = places[-1] + sizes[-1]
    for (name, values), place in zip(tensors, places):
        entries += struct.pack("<IIII QQ", len(name), KINDS[values.dtype.str], values.ndim, 0, place, values.nbytes)
        entries += struct.pack(f"<{values.ndim}Q", *values.shape) + name.encode() + b"\0"
    out = bytearray(total)
    out[:8] = b"\x89A1W\r\n\x1a\n"
    struct.pack_into("<IIQIIIIQ", out, 8, 0x01020304, 1, total, ALIGNMENT, CHUNK, len(texts), len(tensors), directory)
    out[128:128 + directory] = entries
    for (_, values), place in zip(tensors, places):
        out[place:place + values.nbytes] = values.tobytes()
    sums = b"".join(hashlib.sha256(out[i:i + CHUNK]).digest() for i in range(0, total, CHUNK))
    out[64:96] = hashlib.sha256(sums).digest()
    return bytes(out)


def read_mapped(data):
    """(tensors, texts) of a file that mapped() made."""
    text_count, tensor_count = struct.unpack_from("<II", data, 32)
    at, texts, tensors = 128, {}, []
    for _ in range(text_count):
        key, value = struct.unpack_from("<II", data, at)
        at += 8
        texts[data[at:at + key].decode()] = data[at + key + 1:at + key + 1 + value].decode()
        at += key + value + 2
    for _ in range(tensor_count):
        name, kind, rank, _, place, size = struct.unpack_from("<IIIIQQ", data, at)
        shape = struct.unpack_from(f"<{rank}Q", data, at + 32)
        at += 32 + 8 * rank
        [dtype] = [np.dtype(d) for d, number in KINDS.items() if number == kind] or [None]
        if dtype is None:
            raise SystemExit("holds more than float16 and int8")
        values = np.frombuffer(data, dtype, size // dtype.itemsize, place).reshape(shape)
        tensors.append((data[at:at + name].decode(), values))
        at += name + 1
    return tensors, texts


def meant(tensors):
    """{name: float32}: the values that the file's tensors mean."""
    values = {name: value.astype(np.float32) for name, value in tensors}
    for name in [name for name in values if name.endswith(".scale")]:
        scale = values.pop(name)
        matrix = name[:-len(".scale")]
        values[matrix] = values[matrix] * scale.reshape([-1] + [1] * (values[matrix].ndim - 1))
    return values


def weights_of(path):
    """{name: float32 tensor} of another run's RUN/last.pt (the averaged weights, unrounded) or of an .a1w file."""
    import torch
    if path.suffix == ".a1w":
        values = meant(read_mapped(path.read_bytes())[0])
        return {name: torch.from_numpy(value) for name, value in values.items() if name not in VIEWS}
    return torch.load(path, map_location="cpu")["average"]


def rounded(name, value):
    """The file's tensors for one of the network's."""
    if value.ndim == 1:
        return [(name, value.astype("<f2"))]
    rows = value.reshape(len(value), -1)
    scale = np.maximum(np.abs(rows).max(axis=1) / 127, 1e-6).astype("<f2")
    whole = np.clip(np.round(rows / scale.astype(np.float32)[:, None]), -127, 127).astype("|i1")
    return [(name, whole.reshape(value.shape)), (name + ".scale", scale)]


def trained(path):
    """The averaged weights of a run."""
    return [tensor for name, value in weights_of(path).items() for tensor in rounded(name, value.detach().numpy())]


def with_views(tensors, shifts, tempos):
    """These tensors with these views in place of others, in the order of the file."""
    tensors = [tensor for tensor in tensors if tensor[0] not in VIEWS] + [("shifts", np.array(shifts, "<f2"))]
    if any(tempo != 1 for tempo in tempos):
        tensors.append(("tempos", np.array(tempos, "<f2")))
    return sorted(tensors, key=lambda item: item[0].encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=pathlib.Path, help="RUN/best.pt, RUN/last.pt, or an .a1w file")
    parser.add_argument("out", type=pathlib.Path, help="student.a1w")
    parser.add_argument("--threshold", help="of the downbeat activation (default: 0.24, or the file's)")
    parser.add_argument("--transition-lambda", help="of the beat decoder (default: the file's, or the program's)")
    parser.add_argument("--shifts", type=int, nargs="+", help="bands, one number a view (default: 0 where tempos are "
                        "given, else the file's, or 0 1 -1)")
    parser.add_argument("--tempos", type=float, nargs="+", help="how many times as fast, one a view (default: 1 where shifts "
                        "are given, else the file's)")
    parser.add_argument("--confidence", type=pathlib.Path, help="the file of constants that calibrate.py wrote")
    options = parser.parse_args()
    tensors, kept = read_mapped(options.run.read_bytes()) if options.run.suffix == ".a1w" else (trained(options.run), {})
    if options.shifts or options.tempos or not set(VIEWS) & set(dict(tensors)):
        shifts = options.shifts or ([0] * len(options.tempos) if options.tempos else SHIFTS)
        tempos = options.tempos or [1] * len(shifts)
        if len(shifts) != len(tempos):
            parser.error("--shifts and --tempos differ in their number of views")
        tensors = with_views(tensors, shifts, tempos)
    if not all(np.isfinite(values).all() for _, values in tensors):
        raise SystemExit("the weights are not finite")
    texts = {"best_threshold_downbeat": options.threshold or kept.get("best_threshold_downbeat", "0.24"),
             "confidence": options.confidence.read_text().strip() if options.confidence else kept.get("confidence"),
             "digest": digest_of(tensors), "family": "student",
             "licence": "MIT, trained by the allin1 project (docs/TRAINING.md)", "name": "student",
             "transition_lambda": options.transition_lambda or kept.get("transition_lambda")}
    data = mapped(tensors, [(k.encode(), v.encode()) for k, v in texts.items() if v])
    work = options.out.with_suffix(".tmp")
    work.write_bytes(data)
    work.rename(options.out)
    print(options.out, len(data), "bytes, digest", texts["digest"])


if __name__ == "__main__":
    main()
