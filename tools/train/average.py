"""Averages the weights of two runs, as far as their names do not begin with one that the first keeps.

  average.py FIRST SECOND OUT.pt --share 0.5 --keep coarse coarse_norm context

FIRST and SECOND: another run's RUN/last.pt, or an .a1w file; a smaller student counts as one of today's form that says the
same. OUT.pt is as a run's, for export.py and tune_decoder.py. By
default the first keeps the coarse branch, which tells sections and functions."""
import argparse
import pathlib

import torch

from data import NAMES
from export import weights_of
from model import Student, begin_with


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=pathlib.Path)
    parser.add_argument("second", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--share", type=float, default=0.5, help="the second's")
    parser.add_argument("--keep", nargs="*", default=["coarse", "coarse_norm", "context"])
    options = parser.parse_args()
    first, second = (begin_with(Student(), weights_of(path)).state_dict() for path in (options.first, options.second))
    share = {name: 0 if name.split(".")[0] in options.keep else options.share for name in first}
    torch.save(dict(average={name: (1 - share[name]) * first[name] + share[name] * second[name] for name in first},
                    labels=NAMES), options.out)


if __name__ == "__main__":
    main()
