"""Compares architectures of the student: the same batches, steps and measure for each; prints a line each.

  architectures.py --data DATA --run RUN [--steps N] [NAME...]

The dilated neighbourhood attention (Hassani and Shi, 2022; the teacher's block along time) is written with shifted
copies, at one stream. What wins at equal cost is model.py's."""
import argparse
import pathlib
import time

import torch
import torch.nn.functional as F
from torch import nn

import model as models
from data import load
from train import Batches, loss_of, validate

# The student before its middle, its late and its last coarse blocks.
FIRST_FORM = dict(middle=[], late=[], coarse=models.COARSE[:models.FIRST_COARSE])


class Attention(nn.Module):
    """x + attention over the 5 neighbours at a dilation, x + MLP; NCHW with height 1."""

    def __init__(self, width, dilation, heads=4, taps=5):
        super().__init__()
        self.norm, self.norm2 = models.Norm(width), models.Norm(width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        self.up, self.down = nn.Conv2d(width, 2 * width, 1), nn.Conv2d(2 * width, width, 1)
        self.bias = nn.Parameter(torch.zeros(heads, taps))
        self.dilation, self.heads, self.taps = dilation, heads, taps
        for layer in (self.out, self.down):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, x, layers=None):
        batch, width, _, steps = x.shape
        q, k, v = self.qkv(self.norm(x))[:, :, 0].view(batch, 3, self.heads, width // self.heads, steps).unbind(1)
        reach = self.dilation * (self.taps // 2)
        k, v = F.pad(k, (reach, reach)), F.pad(v, (reach, reach))
        places = [slice(i * self.dilation, i * self.dilation + steps) for i in range(self.taps)]
        scores = torch.stack([(q * k[..., p]).sum(2) for p in places], -1) * (width // self.heads) ** -0.5
        inside = torch.stack([F.pad(torch.ones(steps), (reach, reach))[p] for p in places], -1)
        scores = (scores + self.bias[:, None]).masked_fill(inside == 0, -1e4).softmax(-1)
        mixed = sum(scores[..., i].unsqueeze(2) * v[..., p] for i, p in enumerate(places))
        x = x + self.out(mixed.reshape(batch, width, 1, steps))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


def attention(width):
    student = models.Student(width, **FIRST_FORM)
    student.fine = nn.ModuleList(Attention(width, d) for d in models.FINE)
    return student


CHOICES = {
    "convolutions-64": lambda: models.Student(64, **FIRST_FORM),
    "convolutions-96": lambda: models.Student(96, **FIRST_FORM),
    "convolutions-112": lambda: models.Student(112, **FIRST_FORM),
    "middle-96": lambda: models.Student(96),
    "attention-64": lambda: attention(64),
    "attention-96": lambda: attention(96),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--run", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("names", nargs="*", default=list(CHOICES))
    options = parser.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    songs = load(options.data, ("train", "valid"))
    for name in options.names:
        torch.manual_seed(1)
        student = CHOICES[name]().to(memory_format=torch.channels_last)
        optimiser = torch.optim.AdamW(student.parameters(), lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
        batches = Batches(songs["train"], 1, 1, 4, 6400)
        spent = losses = 0.0
        for step in range(options.steps):
            made = batches.get(step)
            rate = 2e-3 * min(1, (step + 1) / 100) * (1 - 0.95 * step / options.steps)
            for group in optimiser.param_groups:
                group["lr"] = rate
            begun = time.process_time()
            loss = loss_of(student, *made)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimiser.step()
            spent += time.process_time() - begun
            losses += float(loss.detach()) if step >= options.steps * 0.8 else 0
        batches.close()
        figures = validate(student, songs["valid"])
        line = f"{name}\t{models.parameters(student)}\t{losses / (options.steps * 0.2):.4f}\t{spent / options.steps:.2f} s a step"
        line += "".join(f"\t{group}: " + " ".join(f"{v:.3f}" for v in row) for group, row in sorted(figures.items()))
        with open(options.run / "architectures.tsv", "a", encoding="utf-8") as out:
            out.write(line + "\n")
        print(line, flush=True)


if __name__ == "__main__":
    main()
