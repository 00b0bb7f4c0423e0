#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what benchmarks measured beside what is wanted.

    plot.py ROWS.json PICTURE.svg

Each row that has a goal is a bar: how much of the goal it reaches, on a
logarithmic scale. Right of the line the goal is met.
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "varkeep"  # the same picture each time
from matplotlib import pyplot  # noqa: E402


def reached(item):
    """(name, text, share of the goal) of a row or a figure."""
    goal = item["goal"]
    if "row" in item:
        text = f"{item['ratio']:.2f}, wanted {goal:.3g}"
        return item["row"], text, item["ratio"] / goal
    text = f"{item['value']:.3g} {item['unit']}, wanted {goal:.3g} or less"
    return item["figure"], text, goal / item["value"]


def draw(items, picture):
    bars = [reached(item) for item in items if item["goal"] > 0]
    bars.reverse()  # the first one on top
    shares = [share for _, _, share in bars]
    figure, axes = pyplot.subplots(figsize=(11, 1 + 0.3 * len(bars)))
    axes.barh(range(len(bars)), [share - 1 for share in shares], left=1,
              color=["#2a7f62" if share >= 1 else "#c2553a"
                     for share in shares])
    axes.set_xscale("log")
    axes.set_xlim(min(shares + [1]) / 1.2, max(shares + [1]) * 3)
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    for place, (_, text, share) in enumerate(bars):
        axes.annotate(text, (max(share, 1), place), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("share of the goal that is reached")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, bbox_inches="tight",
                   metadata={"Date": None, "Creator": None})


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__.strip())
    rows, picture = arguments
    with open(rows, encoding="utf-8") as source:
        draw(json.load(source), picture)


if __name__ == "__main__":
    main(sys.argv[1:])
