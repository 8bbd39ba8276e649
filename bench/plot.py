# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws questions per second of both mixes, and memory, against the number of domains."""

import sys

import report

try:
    import matplotlib
except ImportError:
    sys.exit("bench/publish: matplotlib is missing (Debian package python3-matplotlib)")
matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "mod-mail", "svg.fonttype": "none",
                            "font.family": ["DejaVu Sans", "sans-serif"]})
from matplotlib import pyplot, ticker  # noqa: E402

SPEED = ("uniform", "qps", "median")
# Colour and mark of each system: told apart without colours too.
LOOKS = {
    "mod-mail": ("#c0392b", "o", "-"),
    "knotd": ("#1f6fb2", "s", "-"),
    "nsd": ("#3a8f4d", "^", "-"),
    "pdns": ("#8a8a8a", "v", "--"),
    "pdns-cache": ("#8a5a00", "D", "-"),
}


def series(rows, system, *path):
    """Return the sizes and the values of one system, where there are both."""
    points = []
    for row in rows:
        value = row if row["system"] == system else None
        for step in path:
            value = value.get(step) if value else None
        if value is not None:
            points.append((row["domains"], value))
    return list(zip(*sorted(points))) or ((), ())


def short(value):
    """Return 1, 10k, 1M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def look(axes, title):
    """Set what both panels have in common."""
    axes.set_xscale("log")
    axes.set_xlabel("domains")
    axes.set_title(title, loc="left", fontsize=11)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: short(value)))
    axes.grid(True, which="major", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw_speed(axes, rows, how):
    """Draw the questions per second of all systems."""
    for system, style in how.items():
        sizes, rates = series(rows, system, *SPEED)
        if sizes:
            spreads = series(rows, system, *SPEED[:-1], "spread")[1]
            axes.errorbar(sizes, rates, yerr=[rate * spread for rate, spread in zip(rates, spreads)], capsize=2, **style)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.0f}"))


def draw(result):
    """Return the figure: each mix that there is, and the memory with the first of them."""
    by_mix = {mix: [row for row in result["rows"] if row.get("mix", "plain") == mix] for mix in ("customer", "plain")}
    mixes = [mix for mix in by_mix if by_mix[mix]]
    figure, panels = pyplot.subplots(1, len(mixes) + 1, figsize=(5.5 * (len(mixes) + 1), 4.6))
    how = {system: {"color": colour, "marker": mark, "linestyle": line, "label": report.SYSTEMS[system], "markersize": 5,
                    "linewidth": 2 if system == "mod-mail" else 1.3} for system, (colour, mark, line) in LOOKS.items()}
    floor = series(result["rows"], "floor", *SPEED)[1]
    for mix, axes in zip(mixes, panels):
        look(axes, f"{mix} mix, questions per second, one UDP worker")
        draw_speed(axes, by_mix[mix], how)
        if floor:
            axes.axhline(floor[0], color="#444444", linestyle=":", linewidth=1, label=report.SYSTEMS["floor"])
    memory = panels[-1]
    for system, style in how.items():
        sizes, octets = series(by_mix[mixes[0]], system, "private")
        if sizes:
            memory.plot(sizes, [size / report.MEBI for size in octets], **style)
    look(memory, f"{mixes[0]} mix, private memory, MiB")
    memory.set_yscale("log")
    memory.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,g}"))
    labelled = dict(zip(*reversed(panels[0].get_legend_handles_labels())))
    figure.legend(labelled.values(), labelled, loc="lower center", ncol=3, fontsize=9, frameon=False)
    figure.suptitle(report.facts_text(result["machine"]), fontsize=7, color="#666666", x=0.01, ha="left")
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    return figure


def write(result, path):
    """Write the figure as SVG and PNG."""
    figure = draw(result)
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=120, metadata={"Software": None})
