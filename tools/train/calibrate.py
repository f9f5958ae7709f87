"""How far a student's own evidence tells whether its beats are the full pipeline's; the constants for its weights file,
and what a cascade costs and gives.

  calibrate.py --data DATA --real WORK/real [--rendered WORK/rendered] --out confidence.txt [--times STUDENT FULL]

The results are those that figures.py --parts valid,test leaves. Fitted on the songs of the valid part, reported on those
of test: a logistic regression of the F of beats (70 ms) against the full pipeline's, with a penalty that is chosen by
leaving out one song at a time. Rendered songs, where given, help in fitting and are compared with the truth instead; of
noise, only what is heard in it counts. The costs and gains are those of the real songs of the test part. Without --times, seconds for one second of music are taken to be 0.0022 and 0.097 (two
cores, docs/SPEED.md). Then: export.py RUN.pt student.a1w --confidence confidence.txt"""
import argparse
import json
import pathlib

import numpy as np

from measure import f_measure
from songs import read_table

PENALTIES = [0.1, 0.3, 1.0, 3.0, 10.0]
CLIP = 0.01  # no song is taken to agree, or not to, for certain


def load(path):
    return json.loads(path.read_text())


def pairs(options):
    """{part: [(evidence, F, seconds)]}, and the evidence's names."""
    found, names = {"valid": [], "test": []}, []
    parts = {r["id"]: r["part"] for r in read_table(options.data / "songs.tsv")}
    files = [(parts.get(p.stem), options.data / "teacher" / p.name, p) for p in sorted(options.real.glob("*.json"))]
    for path in sorted(options.rendered.glob("*.json")) if options.rendered else []:
        truth = options.data / "truth" / path.name
        if load(truth)["beats"] or load(path)["beats"]:
            files.append((load(truth)["part"], truth, path))
    for part, reference, path in files:
        if part not in found or not reference.exists():
            continue
        student = load(path)
        evidence = student["student"]["evidence"]
        names = list(evidence)
        f = f_measure(student["beats"], load(reference)["beats"], 0.07)
        real = reference.parent.name == "teacher"
        found[part].append((list(evidence.values()), f, student["duration"], real))
    return {k: tuple(np.array(c, float) for c in zip(*v)) if v else None for k, v in found.items()}, names


def logistic(x):
    return 1 / (1 + np.exp(-x))


def fit(x, y, penalty):
    """Weights of the columns, then the constant; Newton's method. The penalty leaves the constant alone."""
    x = np.column_stack([x, np.ones(len(x))])
    ridge = penalty * np.eye(x.shape[1])
    ridge[-1, -1] = 1e-6
    w = np.zeros(x.shape[1])
    for _ in range(100):
        p = logistic(x @ w)
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, x.T @ (p - y) + ridge @ w)
        w -= step
        if np.abs(step).max() < 1e-9:
            break
    return w


def predict(w, x):
    return logistic(x @ w[:-1] + w[-1])


def loss(p, y):
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def left_out(x, y, penalty):
    keep = ~np.eye(len(y), dtype=bool)
    return np.array([predict(fit(x[k], y[k], penalty), x[i:i + 1])[0] for i, k in enumerate(keep)])


def report(name, p, f):
    order = np.argsort(p)
    if len(f) < 3:
        return
    print(f"\n{name}: {len(f)} songs, mean F {f.mean():.3f}, mean confidence {p.mean():.3f}, mean |difference| "
          f"{np.abs(p - f).mean():.3f}, correlation {np.corrcoef(p, f)[0, 1]:.2f}")
    print("by thirds of the confidence: " +
          ", ".join(f"{p[third].mean():.2f} -> F {f[third].mean():.2f}" for third in np.array_split(order, 3)))


def trade_off(p, f, seconds, times):
    """Refined songs agree with the full pipeline by definition."""
    print("\n--refine  songs refined  time refined  x length  F of beats  F of the rest")
    for threshold in sorted({0.0, 1.0} | {float(np.ceil(100 * q) / 100) for q in np.quantile(p, np.arange(1, 10) / 10)}):
        refined = p < threshold
        share = seconds[refined].sum() / seconds.sum()
        rest = f"{f[~refined].mean():.3f}" if (~refined).any() else "-"
        print(f"{threshold:8.2f}  {refined.mean():13.0%}  {share:12.0%}  {times[0] + share * times[1]:8.4f}  "
              f"{np.where(refined, 1, f).mean():10.3f}  {rest:>13s}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--real", type=pathlib.Path, required=True)
    parser.add_argument("--rendered", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--times", type=float, nargs=2, default=(0.0022, 0.097))
    options = parser.parse_args()
    data, names = pairs(options)
    if data["valid"] is None:
        raise SystemExit("no song of the valid part has both results")
    x, f, _, _ = data["valid"]
    y = f.clip(CLIP, 1 - CLIP)
    penalty = min(PENALTIES, key=lambda value: loss(left_out(x, y, value), y))
    w = fit(x, y, penalty)
    text = " ".join(f"{name}={value:.4f}" for name, value in zip(["constant"] + names, np.r_[w[-1], w[:-1]]))
    options.out.write_text(text + "\n")
    print(f"penalty {penalty:g}\n{text}")
    report("valid, each song left out of the fit in turn", left_out(x, y, penalty), f)
    if data["test"] is not None:
        x, f, seconds, real = data["test"]
        p, real = predict(w, x), real > 0
        report("test, rendered songs", p[~real], f[~real])
        report("test, real songs", p[real], f[real])
        if real.any():
            trade_off(p[real], f[real], seconds[real], options.times)


if __name__ == "__main__":
    main()
