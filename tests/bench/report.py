# SPDX-License-Identifier: Apache-2.0
"""What was measured, as tables of at most 80 columns and as JSON."""
import collections
import datetime
import json
import os
import pathlib
import statistics

from cases import CPU
from tracers import EMPTY, UNTRACED

WIDTH = 80
BASELINE = pathlib.Path(__file__).parent / "baseline.json"


def read_baseline():
    """case: tracer: program: us per unit above the empty program, as somebody has checked it in."""
    return json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}


def update_baseline(results):
    baseline = read_baseline()
    baseline["made"] = heading_words()
    for result in results:
        for tracer in result.counted:
            if tracer != EMPTY.name:
                above = result.above_us(tracer)
                baseline.setdefault(result.case.name, {})[tracer.strip()] = {name: round(us, 3) for name, us in above.items() if us > 0.001}
    BASELINE.write_text(json.dumps(baseline, indent=1) + "\n", encoding="utf-8")


def heading_words():
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return f"{today}, Linux {os.uname().release}, {os.cpu_count()} processors"


def heading(rounds):
    before = read_baseline().get("made", "none")
    return f"{heading_words()}; medians of {rounds} alternating runs.\nBPF times before: {before}.\n"


def table(rows):
    """Rows of cells, the first one the titles: names to the left, figures to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append(" ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def number(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


class Result:
    """One case: figures of each round and tracer, BPF run time of each counted run."""

    def __init__(self, case, load):
        self.case, self.load = case, load
        self.rounds = []  # {tracer: {figure: value}}
        self.counted = collections.defaultdict(list)  # tracer: [{(program, ...): (runs, ns) per unit}]
        self.left_out = {}  # tracer: why

    def names(self):
        seen = {name: None for figures in self.rounds for name in figures}
        order = [tracer.name for tracer in self.case.tracers]
        return sorted(seen, key=order.index)

    def median(self, tracer, figure):
        values = [figures[tracer][figure] for figures in self.rounds if figure in figures.get(tracer, {})]
        return statistics.median(values) if values else None

    def ratio(self, tracer, figure, beside):
        """The median of the ratios of the rounds."""
        ratios = [
            figures[tracer][figure] / figures[beside][figure]
            for figures in self.rounds
            if figure in figures.get(tracer, {}) and figures.get(beside, {}).get(figure)
        ]
        return statistics.median(ratios) if ratios else None

    def programs(self, tracer):
        """(program, ...): (runs per unit, ns per run), medians of the counted runs."""
        runs = self.counted.get(tracer, [])
        return {
            names: (
                statistics.median(one[names][0] for one in runs if names in one),
                statistics.median(one[names][1] / one[names][0] for one in runs if names in one),
            )
            for names in sorted({names for one in runs for names in one})
        }

    def floor(self):
        """program: ns per run of the empty program on its hook."""
        return {name: ns for names, (_, ns) in self.programs(EMPTY.name).items() for name in names}

    def bpf_us(self, tracer):
        programs = self.programs(tracer)
        return sum(runs * ns for runs, ns in programs.values()) / 1000 if programs else None

    def above(self, tracer):
        """program: ns per run above the empty program on its hook; what is on none has no floor."""
        floor = self.floor()
        return {names[0]: ns - floor.get(names[0], 0) for names, (_, ns) in self.programs(tracer).items()}

    def above_us(self, tracer):
        """program: us per unit above the empty program."""
        above = self.above(tracer)
        return {names[0]: runs * above[names[0]] / 1000 for names, (runs, _) in self.programs(tracer).items()}

    def bpf_above_us(self, tracer):
        if tracer == EMPTY.name or not self.programs(tracer) or not self.programs(EMPTY.name):
            return None
        return sum(self.above_us(tracer).values())

    def value(self, tracer, measure):
        if measure == "bpf_above_us":
            return self.bpf_above_us(tracer)
        return self.median(tracer, measure)

    def others(self):
        """Processors that something else kept busy in the median run."""
        return statistics.median(one["others_cpus"] for figures in self.rounds for one in figures.values())

    def text(self):
        lost = {name: sum(figures[name].get("lost", 0) for figures in self.rounds if name in figures) for name in self.names()}
        parts = [f"{self.case.name}: {self.case.title}\n  (each figure per {self.load.unit}; others kept {self.others():.2f} processors busy)\n"]
        parts.append(self.main_table())
        parts += [f"  {name.strip()}: {count:,} lost\n" for name, count in lost.items() if count]
        parts += [f"  {name.strip()}: left out, {why}"[:WIDTH] + "\n" for name, why in self.left_out.items()]
        parts.append(self.goals_table())
        parts += [self.programs_table(name) for name in self.counted if name != EMPTY.name]
        return "\n".join(part for part in parts if part)

    def main_table(self):
        titles = [""]
        for figure in self.case.figures:
            titles += [figure.title, "ratio"]
        rows = [[*titles, "own us", "piece us", "BPF us"]]
        for name in self.names():
            row = [name]
            for figure in self.case.figures:
                row += [number(self.median(name, figure.key), figure.digits), number(self.ratio(name, figure.key, UNTRACED.name), 3)]
            own, piece = (None if name == UNTRACED.name else self.median(name, key) for key in ("own_us", "piece_us"))
            rows.append([*row, number(own, 2), number(piece, 0), number(self.bpf_us(name), 2)])
        return table(rows)

    def goals(self):
        """[(goal, measured or None, reached)]"""
        rows = []
        for goal in self.case.goals:
            if goal.beside:
                measured = self.ratio(goal.tracer.name, goal.measure, goal.beside.name)
            else:
                measured = self.value(goal.tracer.name, goal.measure)
            if measured is not None:
                reached = measured <= goal.most if goal.most is not None else measured >= goal.least
                rows.append((goal, measured, reached))
        return rows

    def goals_table(self):
        titles = {figure.key: figure.title for figure in (*self.case.figures, CPU)}
        titles |= {"bpf_above_us": "BPF us above empty", "own_us": "own us"}
        rows = [["wanted", "limit", "measured", ""]]
        for goal, measured, reached in self.goals():
            subject = goal.tracer.name.strip()
            text = f"{subject}: {titles[goal.measure]}" + (f" / {goal.beside.name}" if goal.beside else "")
            limit = f"<= {goal.most}" if goal.most is not None else f">= {goal.least}"
            rows.append([text, limit, f"{measured:.3f}", "" if reached else "missed"])
        return table(rows) if len(rows) > 1 else ""

    def programs_table(self, tracer):
        above = self.above_us(tracer)
        before = read_baseline().get(self.case.name, {}).get(tracer.strip(), {})
        floor = self.floor()
        rows = [[f"BPF of {tracer.strip()}", "runs", "ns/run", "empty", "us", "us above", "before"]]
        for (name, *_), (runs, ns) in self.programs(tracer).items():
            if runs < 0.001:
                continue
            empty = number(floor.get(name), 0)
            us = runs * ns / 1000
            rows.append([name, f"{runs:.2f}", f"{ns:.0f}", empty, f"{us:.3f}", f"{above[name]:.3f}", number(before.get(name), 3)])
        if len(rows) == 1:
            return ""
        total = [self.bpf_us(tracer), self.bpf_above_us(tracer), sum(before.values()) if before else None]
        rows.append(["all", "", "", "", *(number(us, 2) for us in total)])
        return table(rows)

    def as_object(self):
        tracers = {}
        for name in self.names():
            keys = {key: None for figures in self.rounds for key in figures.get(name, {})}
            tracers[name.strip()] = {
                "figures": {
                    key: {
                        "median": self.median(name, key),
                        "ratio_untraced": self.ratio(name, key, UNTRACED.name),
                        "ratio_empty": self.ratio(name, key, EMPTY.name),
                        "runs": [figures[name][key] for figures in self.rounds if key in figures.get(name, {})],
                    }
                    for key in keys
                },
                "bpf_us": self.bpf_us(name),
                "bpf_above_empty_us": self.bpf_above_us(name),
                "programs": {
                    " ".join(names): {"runs": runs, "ns_per_run": ns, "ns_above_empty": self.above(name)[names[0]]}
                    for names, (runs, ns) in self.programs(name).items()
                },
            }
        goals = [
            {
                "tracer": goal.tracer.name.strip(),
                "measure": goal.measure,
                "beside": goal.beside.name if goal.beside else None,
                "most": goal.most,
                "least": goal.least,
                "measured": measured,
                "reached": reached,
            }
            for goal, measured, reached in self.goals()
        ]
        return {
            "case": self.case.name,
            "title": self.case.title,
            "unit": self.load.unit,
            "others_cpus": self.others(),
            "tracers": tracers,
            "left_out": {name.strip(): why for name, why in self.left_out.items()},
            "goals": goals,
        }


def as_json(results):
    uname = os.uname()
    machine = {"kernel": uname.release, "processors": os.cpu_count(), "architecture": uname.machine}
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    return json.dumps({"time": now, "machine": machine, "cases": [result.as_object() for result in results]}, indent=1) + "\n"
