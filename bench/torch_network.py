"""The eight-fold network in PyTorch against ours, in turns, on the same weights, input and threads.

    python3 bench/torch_network.py build/bench_network [frames [turns [threads]]]

The layers are those of the reference implementation (docs/MODEL.md, section 4), run eagerly in float32: its
convolutions, linear layers, norms and activations are PyTorch's own. Neighbourhood attention is not: the
reference takes it from NATTEN, which Debian does not have, so it is written here with PyTorch's operations,
in the ways below; each is tried on this machine, and the fastest is timed. What NATTEN's own kernel would
take on a CPU is not known here.

Before anything is timed, the logits of both are compared. Weights come from $ALLIN1_WEIGHTS/harmonix, the
spectrogram from the golden songs in $ALLIN1_SHARED where they are at hand (repeated to the length), else it
is noise. The library's threads and kernels are PyTorch's default; variables that hold OpenBLAS back to an
older processor are removed.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time

# What must be set before the libraries are loaded. Memory stays with the process instead of going back to the
# system after each layer: that favours PyTorch, whose default would pay for new pages each time.
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1", "MALLOC_TOP_PAD_": str(256 << 20)}
if any(os.environ.get(name) != value for name, value in KEEP.items()):
    for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
        del os.environ[name]
    os.environ.update(KEEP)
    os.execv(sys.executable, [sys.executable] + sys.argv)

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

FOLDS, STEMS, BANDS, BLOCKS, WIDTH, HEADS, HEAD = 8, 4, 81, 11, 24, 2, 12
NEIGHBOURS = 5
# Both are float32, with sums in different orders: our tests hold 1e-4 against the reference's logits.
TOLERANCE = 2e-4


def windows(length, dilation):
    """Frames in the window of each frame, and the index of each one's position bias."""
    frame = torch.arange(length)
    residue, place = frame % dilation, frame // dilation
    count = (length - residue + dilation - 1) // dilation
    first = torch.minimum((place - NEIGHBOURS // 2).clamp(min=0), count - NEIGHBOURS)
    other = first[:, None] + torch.arange(NEIGHBOURS)
    return other * dilation + residue[:, None], other - place[:, None] + NEIGHBOURS - 1


@functools.lru_cache(None)  # once for a length, for all folds
def table(length, dilation):
    return windows(length, dilation)


class Attention1d:
    """Five dilated neighbours along time; q, k, v and the result are [stems, frames, 24]."""

    ways = ("gathered windows", "one neighbour at a time", "batched products")
    way = ways[0]

    @classmethod
    def run(cls, q, k, v, bias, dilation):
        stems, length, _ = q.shape
        index, position = table(length, dilation)
        weight_bias = bias[:, position].permute(1, 0, 2)  # [frames, heads, 5]
        q = q * HEAD**-0.5
        if cls.way == "one neighbour at a time":
            neighbours = [index[:, j] for j in range(NEIGHBOURS)]
            scores = torch.stack(
                [(q * k.index_select(1, n)).view(stems, length, HEADS, HEAD).sum(-1) for n in neighbours], -1)
            weights = torch.softmax(scores + weight_bias, -1)
            out = 0
            for j, n in enumerate(neighbours):
                value = v.index_select(1, n).view(stems, length, HEADS, HEAD)
                out = out + weights[..., j, None] * value
            return out.reshape(stems, length, WIDTH)
        shape = (stems, length, NEIGHBOURS, HEADS, HEAD)
        near_k = k.index_select(1, index.reshape(-1)).view(shape)
        near_v = v.index_select(1, index.reshape(-1)).view(shape)
        if cls.way == "batched products":
            scores = torch.einsum("nthc,ntjhc->nthj", q.view(stems, length, HEADS, HEAD), near_k)
            weights = torch.softmax(scores + weight_bias, -1)
            out = torch.einsum("nthj,ntjhc->nthc", weights, near_v)
        else:
            scores = (q.view(stems, length, 1, HEADS, HEAD) * near_k).sum(-1).transpose(2, 3)
            weights = torch.softmax(scores + weight_bias, -1)
            out = (weights.transpose(2, 3)[..., None] * near_v).sum(2)
        return out.reshape(stems, length, WIDTH)


class Attention2d:
    """All five rows and five neighbouring frames; q [4, frames, 24], k and v [5, frames, 24]."""

    ways = ("batched products", "one neighbour at a time")
    way = ways[0]

    @classmethod
    def run(cls, q, k, v, bias):
        length = k.shape[1]
        index, position = table(length, 1)
        rows = torch.arange(5) - torch.arange(STEMS)[:, None] + NEIGHBOURS - 1
        inside = torch.arange(2, 2 + NEIGHBOURS)
        biases = bias[:, rows]  # [heads, 4, 5, 9]
        scores = cls.products if cls.way == "batched products" else cls.singly
        return scores(q * HEAD**-0.5, k, v, index, biases, inside, position, (0, 1, length - 2, length - 1))

    @staticmethod
    def products(q, k, v, index, biases, inside, position, ends):
        length = k.shape[1]

        def near(x):  # [frames, heads, rows * 5, 12]
            x = x.index_select(1, index.reshape(-1)).view(5, length, NEIGHBOURS, HEADS, HEAD)
            return x.permute(1, 3, 0, 2, 4).reshape(length, HEADS, 5 * NEIGHBOURS, HEAD)

        q = q.view(STEMS, length, HEADS, HEAD).permute(1, 2, 0, 3)
        scores = q @ near(k).transpose(2, 3)  # [frames, heads, 4, 25]
        scores += biases[..., inside].reshape(HEADS, STEMS, -1)
        for t in ends:  # there the window is moved inside
            scores[t] += (biases[..., position[t]] - biases[..., inside]).reshape(HEADS, STEMS, -1)
        out = torch.softmax(scores, -1) @ near(v)
        return out.permute(2, 0, 1, 3).reshape(STEMS, length, WIDTH)

    @staticmethod
    def singly(q, k, v, index, biases, inside, position, ends):
        length = k.shape[1]
        scores = torch.empty(STEMS, length, HEADS, 5, NEIGHBOURS)
        for j in range(NEIGHBOURS):
            near = k.index_select(1, index[:, j])
            for row in range(5):
                scores[..., row, j] = (q * near[row]).view(STEMS, length, HEADS, HEAD).sum(-1)
        scores += biases[..., inside].permute(1, 0, 2, 3)[:, None]
        for t in ends:
            scores[:, t] += (biases[..., position[t]] - biases[..., inside]).permute(1, 0, 2, 3)
        weights = torch.softmax(scores.view(STEMS, length, HEADS, 5 * NEIGHBOURS), -1)
        out = torch.zeros(STEMS, length, HEADS, HEAD)
        for j in range(NEIGHBOURS):
            near = v.index_select(1, index[:, j]).view(5, length, HEADS, HEAD)
            for row in range(5):
                out.addcmul_(weights[..., row * NEIGHBOURS + j, None], near[row])
        return out.view(STEMS, length, WIDTH)


class Fold:
    def __init__(self, path):
        self.w = {}
        with np.load(path) as file:
            for name in file.files:
                value = torch.from_numpy(file[name])
                if name.startswith("embeddings.conv") and value.dim() == 4:
                    value = value.permute(0, 3, 1, 2).contiguous()  # out, in, time, band
                self.w[name] = value

    def linear(self, name, x):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"], 1e-5)

    def embed(self, spectrogram):
        x = spectrogram[:, None]
        for i, padding in enumerate(((1, 0), (0, 0), (1, 0))):
            name = f"embeddings.conv{i}"
            x = F.conv2d(x, self.w[name + ".weight"], self.w[name + ".bias"], padding=padding)
            x = F.elu(F.max_pool2d(x, (1, 3)))
        return self.norm("embeddings.norm", x[..., 0].transpose(1, 2).contiguous())

    def qkv(self, name, x):
        return [self.linear(f"{name}.self.{part}", x) for part in ("query", "key", "value")]

    def mlp(self, name, x):
        return self.linear(name + ".output.dense", F.gelu(self.linear(name + ".intermediate.dense", x)))

    def time_layer(self, name, x, dilation):
        length = x.shape[1]
        normed = self.norm(name + ".layernorm_before", x)
        normed = F.pad(normed, (0, 0, 0, max(0, 2 * dilation * NEIGHBOURS - length)))
        both = []
        for attention, d in ((name + ".attention", dilation), (name + ".attention2", 2 * dilation)):
            q, k, v = self.qkv(attention, normed)
            mixed = Attention1d.run(q, k, v, self.w[attention + ".self.rpb"], d)[:, :length]
            both.append(x + self.linear(attention + ".output.dense", mixed))
        after = self.norm(name + ".layernorm_after", torch.cat(both, -1))
        return (both[0] + both[1]) / 2 + self.mlp(name, after)

    def instrument_layer(self, name, x):
        length = x.shape[1]
        normed = self.norm(name + ".layernorm_before", x)
        normed = F.pad(normed, (0, 0, 0, max(0, NEIGHBOURS - length), 0, NEIGHBOURS - STEMS))
        q, k, v = self.qkv(name + ".attention", normed)
        mixed = Attention2d.run(q[:STEMS], k, v, self.w[name + ".attention.self.rpb"])[:, :length]
        x = x + self.linear(name + ".attention.output.dense", mixed)
        return x + self.mlp(name, self.norm(name + ".layernorm_after", x))

    def __call__(self, spectrogram):
        x = self.embed(spectrogram)
        for block in range(BLOCKS):
            x = self.time_layer(f"encoder.layers.{block}.timelayer", x, 1 << block)
            x = self.instrument_layer(f"encoder.layers.{block}.instlayer", x)
        x = self.norm("norm", x)
        x = x.permute(1, 0, 2).reshape(x.shape[1], STEMS * WIDTH)
        heads = [self.linear(f"{head}_classifier.classifier", x) for head in ("beat", "downbeat", "section", "function")]
        return torch.cat(heads, -1).T


def check_golden(fold, shared):
    """One fold against the reference's own logits."""
    for frames in (1, 7, 30, 700):
        path = os.path.join(shared, "golden", "unit", f"fold0_T{frames}.npz")
        if not os.path.exists(path):
            continue
        golden = np.load(path)
        parts = [golden[f"logits_{head}"].reshape(-1, frames) for head in ("beat", "downbeat", "section", "function")]
        error = np.abs(fold(torch.from_numpy(golden["input"])).numpy() - np.concatenate(parts)).max()
        if not error < TOLERANCE:
            sys.exit(f"torch_network: {error} off the reference's logits of {frames} frames")


def input_of(frames, shared):
    path = os.path.join(shared, "golden", "songs", "apex_aleph", "spec.npz")
    if shared and os.path.exists(path):
        with np.load(path) as file:
            song = next(file[n] for n in file.files if file[n].ndim == 3).astype(np.float32)
        times = -(-frames // song.shape[1])
        return np.ascontiguousarray(np.concatenate([song] * times, 1)[:, :frames])
    return np.random.default_rng(1).random((STEMS, frames, BANDS), dtype=np.float32) * 2


def fastest(attention, layer):
    took = {}
    for attention.way in attention.ways:
        layer()  # makes the tables
        for turn in range(3):
            start = time.perf_counter()
            layer()
            took[attention.way] = min(time.perf_counter() - start, took.get(attention.way, 1e9))
    attention.way = min(took, key=took.get)
    return attention.way


def report(name, how, times, ratio=None, against=None):
    times = sorted(times)
    figure = {"name": name, "how": how, "best_seconds": times[0], "median_seconds": times[len(times) // 2],
              "runs": len(times)}
    if ratio:
        figure.update(against=against, times_as_fast=ratio)
    text = f"{ratio:33.2f} {against}" if ratio else ""
    print(f"{name:<36} {how:<24} {times[0]:8.3f} s  {times[len(times) // 2]:8.3f} s  {len(times):5}{text}", flush=True)
    if os.environ.get("ALLIN1_BENCH_LINES"):
        with open(os.environ["ALLIN1_BENCH_LINES"], "a") as file:
            file.write(json.dumps(figure) + "\n")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: torch_network.py BENCH_NETWORK [frames [turns [threads]]]")
    ours = sys.argv[1]
    frames, turns, threads = [int(a) for a in sys.argv[2:5]] + [19557, 2, 2][len(sys.argv[2:5]):]
    shared = os.environ.get("ALLIN1_SHARED", "")
    paths = [os.path.join(os.environ.get("ALLIN1_WEIGHTS", ""), "harmonix", f"harmonix-fold{i}_mlx.npz") for i in range(FOLDS)]
    if not all(map(os.path.exists, paths)):
        sys.exit("torch_network: not compared: the eight npz files are not below $ALLIN1_WEIGHTS/harmonix")
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    folds = [Fold(path) for path in paths]
    for Attention1d.way in Attention1d.ways:
        for Attention2d.way in Attention2d.ways:
            check_golden(folds[0], shared)
    spectrogram = input_of(frames, shared)
    tensor = torch.from_numpy(spectrogram)
    x = folds[0].embed(tensor)
    ways = (fastest(Attention1d, lambda: folds[0].time_layer("encoder.layers.3.timelayer", x, 8)),
            fastest(Attention2d, lambda: folds[0].instrument_layer("encoder.layers.3.instlayer", x)))

    def run():
        total = 0
        for fold in folds:
            total = total + fold(tensor)
        return total / FOLDS

    with tempfile.TemporaryDirectory() as folder:
        given, logits = os.path.join(folder, "spectrogram"), os.path.join(folder, "logits")
        spectrogram.tofile(given)
        child = subprocess.Popen([ours, "--step", given, logits, str(threads)], text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def step():
            child.stdin.write("\n")
            child.stdin.flush()
            line = child.stdout.readline()
            if not line:
                sys.exit(f"torch_network: {ours} ended")
            return float(line)

        own, other = [], []
        step()
        for turn in range(turns):
            own.append(step())
            start = time.perf_counter()
            theirs = run()
            other.append(time.perf_counter() - start)
        child.stdin.close()
        child.wait()
        error = np.abs(np.fromfile(logits, np.float32).reshape(13, frames) - theirs.numpy()).max()
    if not error < TOLERANCE:
        sys.exit(f"torch_network: the logits of both differ by {error}")
    ratio = sorted(b / a for a, b in zip(own, other))[turns // 2]
    name = f"network, {FOLDS} folds, {frames} frames"
    print(f"\nnetwork and PyTorch {torch.__version__} in turns; attention: {ways[0]}, {ways[1]}; logits differ by {error:.1e} at most")
    report(name, f"PyTorch, {threads} threads", other)
    report(name, f"ours, {threads} threads", own, ratio, "PyTorch, same threads")


main()
