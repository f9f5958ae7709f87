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
from model import BRANCH, Student, begin_with, width_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=pathlib.Path, help="RUN/last.pt, or an .a1w file")
    parser.add_argument("second", type=pathlib.Path, help="another")
    parser.add_argument("out", type=pathlib.Path, help="for export.py and tune_decoder.py")
    parser.add_argument("--share", type=float, default=0.5, help="the second's")
    parser.add_argument("--keep", nargs="*", default=BRANCH)
    options = parser.parse_args()
    given = [weights_of(path) for path in (options.first, options.second)]
    if width_of(given[0]) != width_of(given[1]):
        parser.error("the two are of different widths")
    first, second = (begin_with(Student(width_of(state)), state).state_dict() for state in given)

    def share_of(name):
        """What one of them does not have is the other's alone."""
        if name.split(".")[0] in options.keep:
            return 0
        return options.share if name in given[0] and name in given[1] else float(name in given[1])

    share = {name: share_of(name) for name in first}
    torch.save(dict(average={name: (1 - share[name]) * first[name] + share[name] * second[name] for name in first},
                    labels=NAMES), options.out)


if __name__ == "__main__":
    main()
