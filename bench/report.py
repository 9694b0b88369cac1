"""Makes docs/performance.md and its plots of a file of results."""

import json
import os
import platform
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

import matplotlib
from cases import CALM_STEAL, FULL, RUNS_UNTIL_CALM
from measure import SERVERS

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

# The same picture from the same numbers, and text that stays text.
matplotlib.rcParams.update({"svg.hashsalt": "streamflow", "svg.fonttype": "none", "font.size": 10, "axes.spines.top": False,
                            "axes.spines.right": False})
OURS_BY_NAME = ("transform-store", "aggregate", "fetch-publish")
OURS, THEIRS, LIMIT = "#1f6f8b", "#b0b7bf", "#d98f2b"
UNITS = {"rate": "users/s", "seconds": "s", "cpu_us": "CPU µs/user", "peak_mb": "peak MB", "wire_bytes": "bytes on the wire/user",
         "p50_ms": "p50 ms", "p99_ms": "p99 ms", "max_ms": "max ms", "steal": "steal %"}


class Results:
    def __init__(self, file):
        told = json.loads(file.read_text())
        self.seconds = told["seconds"]
        self.commit = told["commit"]
        self.rows = defaultdict(list)
        self.disturbed = 0
        for row in told["rows"]:
            self.disturbed += row.get("disturbed", False)
            self.rows[row["case"]].append(row)

    def groups(self, case, *keys, **where):
        """Rows of the same system and size, in the order in which they came."""
        groups = defaultdict(list)
        for row in self.rows[case]:
            if any(row.get(key) != value for key, value in where.items()):
                continue
            groups[tuple(row[key] for key in keys)].append(row)
        return groups

    def median(self, case, system, number, **where):
        rows = [row for row in self.rows[case] if row["system"].startswith(system) and all(row.get(k) == v for k, v in where.items())]
        return median_of(rows, number) if rows else None


def calm(rows):
    """Without those that were disturbed, where there are others."""
    return [row for row in rows if not row.get("disturbed")] or rows


def median_of(rows, number):
    return median([row[number] for row in calm(rows)])


def shown(values):
    """The median, and from where to where the values go."""
    if not values:
        return "–"
    places = 0 if median(values) >= 100 else 1 if median(values) >= 10 else 2
    def text(number):
        return f"{number:,.{places}f}"
    return text(median(values)) if len(values) == 1 else f"{text(median(values))} ({text(min(values))}–{text(max(values))})"


def table(results, case, keys, numbers, names=None):
    head = [*(names or keys), "runs", *(UNITS[number] for number in numbers)]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for group, rows in results.groups(case, *keys).items():
        cells = [f"{key:,}" if isinstance(key, int) else str(key) for key in group]
        left = calm(rows)
        cells += [f"{len(left)} of {len(rows)}" if len(left) < len(rows) else str(len(rows)),
                  *(shown([row[number] for row in left if number in row]) for number in numbers)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def where_the_time_goes(results):
    """Microseconds of a processor for each user: those of the program, and those of each server meanwhile."""
    told = ["| | users | the program | " + " | ".join(SERVERS) + " |", "|---" * (len(SERVERS) + 3) + "|"]
    for case, system in (("fetch", "fetch-publish"), ("fetch", "Python, with landing"), ("drain", "transform-store"), ("drain", "PySpark"),
                         ("drain", "Python"), ("growth", "transform-store"), ("count", "aggregate"), ("count", "ceiling")):
        for (users,), rows in results.groups(case, "users", system=system).items():
            parts = [median([row["servers_us"][name] for row in calm(rows)]) for name in SERVERS]
            cells = [system, f"{users:,}", shown([median_of(rows, "cpu_us")]), *(f"{part:,.1f}" for part in parts)]
            told.append("| " + " | ".join(cells) + " |")
    return "\n".join(told)


def bars(results, case, number, title, file):
    groups = results.groups(case, "system")
    names = [group[0] for group in groups]
    values = [median_of(rows, number) for rows in groups.values()]
    colours = [LIMIT if name.startswith("ceiling") else OURS if name in OURS_BY_NAME else THEIRS for name in names]
    figure, axes = plt.subplots(figsize=(7, 0.5 * len(names) + 1), layout="constrained")
    drawn = axes.barh(names[::-1], values[::-1], color=colours[::-1])
    axes.bar_label(drawn, [f"{value:,.0f}" for value in values[::-1]], padding=4)
    axes.set_title(title, loc="left")
    axes.set_xlim(0, max(values) * 1.15)
    save(figure, file)


def lines(results, file):
    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for system, marker in (("transform-store", "o"), ("ceiling", "x"), ("aggregate", "s")):
        axes.plot(*zip(*time_for_a_user(results, system).items()), marker=marker, label=system)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("users on the topic")
    axes.set_ylabel("µs for each")
    axes.legend()
    axes.set_title("Time for each user as the backlog grows", loc="left")
    save(figure, file)


def time_for_a_user(results, system):
    """Microseconds by the length of the backlog."""
    groups = results.groups("growth", "users", system=system)
    return {users: median_of(rows, "seconds") / users * 1e6 for (users,), rows in sorted(groups.items())}


def save(figure, file):
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    # Without the white space at the ends of lines that matplotlib leaves.
    file.write_text("\n".join(line.rstrip() for line in file.read_text().splitlines()) + "\n")


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {cpu}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def ratio(ours, theirs):
    return f"{ours / theirs:,.1f}" if ours and theirs else "–"


def goals(results):
    """What was meant to be reached, beside what was measured."""
    drain = {system: results.median("drain", system, "rate") for system in ("transform-store", "PySpark", "Python")}
    best = results.median("drain", "ceiling", "rate")
    growth = time_for_a_user(results, "transform-store")
    longest = max(growth, default=None)
    def from_short_to_long(times):
        return " → ".join(f"{value:.1f}" for value in times.values()) + " µs" if times else "–"
    def around_the_mean(times):
        if not times:
            return ""
        mean = sum(times.values()) / len(times)
        return f" (within {max(abs(time / mean - 1) for time in times.values()):.0%} of their mean)"
    def percent(part, whole):
        return f"{part / whole:.1%}" if part and whole else "–"
    def number(case, system, key, text, **where):
        value = results.median(case, system, key, **where)
        return "–" if value is None else text.format(value)
    rows = [
        ("topic → table, times PySpark", "10", ratio(drain["transform-store"], drain["PySpark"])),
        ("topic → table, times Python", "–", ratio(drain["transform-store"], drain["Python"])),
        ("topic → table, share of what the driver alone can", "90 %", percent(drain["transform-store"], best)),
        ("CPU of the job for a user", "5 µs", number("growth", "transform-store", "cpu_us", "{:.1f} µs", users=longest)),
        ("peak memory with a long backlog", "64 MB", number("growth", "transform-store", "peak_mb", "{:.0f} MB", users=longest)),
        ("start to first row", "0.5 s", number("first-row", "transform-store", "seconds", "{:.2f} s")
         + ", PySpark " + number("first-row", "PySpark", "seconds", "{:.1f} s")),
        ("published → readable at 1,000 users/s, p99", "25 ms", number("latency", "transform-store", "p99_ms", "{:.1f} ms", **{"users/s": 1000})),
        ("API → PostgreSQL → acknowledged by Kafka", "40,000 users/s", number("fetch", "fetch-publish", "rate", "{:,.0f} users/s")),
        ("topic → summaries", "500,000 users/s", number("count", "aggregate", "rate", "{:,.0f} users/s")
         + ", Kafka's client alone " + number("count", "ceiling", "rate", "{:,.0f} users/s")),
        ("time for a user from the shortest to the longest backlog", "within 10 %",
         from_short_to_long(growth) + around_the_mean(growth) + ", the driver alone " + from_short_to_long(time_for_a_user(results, "ceiling"))),
    ]
    return "\n".join(["| | goal | measured |", "|---|---|---|", *(f"| {what} | {goal} | {got} |" for what, goal, got in rows)])


def main():
    results, docs = Results(Path(sys.argv[1])), Path(sys.argv[2])
    images = docs / "images"
    bars(results, "drain", "rate", "Users a second from the topic into the table", images / "performance-drain.svg")
    bars(results, "fetch", "rate", "Users a second from the API onto the topic", images / "performance-fetch.svg")
    bars(results, "count", "rate", "Users a second counted", images / "performance-count.svg")
    lines(results, images / "performance-growth.svg")
    drained = ("rate", "cpu_us", "peak_mb", "wire_bytes", "steal")
    text = f"""# Performance

Made by `make bench`, which took {results.seconds / 60:.0f} minutes: {machine()}. Commit {results.commit}. The servers (PostgreSQL 18, Kafka 4.1, Cassandra 5.0, one node each)
run on the same cores as what is measured, one system at a time. A number is the median of the runs, with the lowest and the highest in parentheses. After each
run into the table every row is compared with what it must be. CPU and memory include the processes that a program starts; bytes on the wire are all
that went over the loopback device meanwhile. Machines differ, and busy ones more: compare the ratios. `steal` is the share of the processors' time that
the machine's host gave to others during the run (proc_stat(5)): what is measured then waits. A run with more than {CALM_STEAL} % is measured again, up to
{RUNS_UNTIL_CALM - 1} times and for {FULL.until_calm.seconds_left} s in all, and counts only where there is no other: "3 of 5" are the runs that count. {results.disturbed} runs were disturbed.

## Against the goals

{goals(results)}

## Topic → table

![users a second](images/performance-drain.svg)

{table(results, "drain", ["system", "users"], drained)}

`ceiling`: rows that lie in memory, written with the same driver and statement, in batches of 80 and eight at once; other shapes are no quicker
(decisions/0014). PySpark is Structured
Streaming with the Cassandra connector as the tutorials use it, with `local[2]` and Spark's own functions only; Python is confluent-kafka with
cassandra-driver, 128 inserts at once (bench/others/).

From the start of the program to the first row:

{table(results, "first-row", ["system"], ["seconds"])}

From a user given to Kafka's client until its row can be read, at a steady rate:

{table(results, "latency", ["system", "users/s"], ["p50_ms", "p99_ms", "max_ms", "steal"])}

One user in twenty (in a hundred, at 5,000 a second) is asked for, one after the other, from the end of the publishing client's `linger.ms`
of 5 on: every 2 ms at first, then after each fifth of what it has waited, at most every 20 ms.

## API → landing → topic

![users a second](images/performance-fetch.svg)

{table(results, "fetch", ["system", "users"], drained)}

## Topic → summaries

![users a second](images/performance-count.svg)

{table(results, "count", ["system", "users"], drained)}

PySpark counts one of the five dimensions that `aggregate` counts. `ceiling`: Kafka's client alone, which takes each record with its header and
does nothing with it.

## Where the processor's time goes

Microseconds for each user, of the program and of each server meanwhile:

{where_the_time_goes(results)}

## Growth

![time for each user](images/performance-growth.svg)

{table(results, "growth", ["system", "users"], drained)}

`ceiling` is the driver alone, as above. A table of Cassandra's is full at 130,000 of these rows, and is written to the disk then: the first 100,000 do not
pay for that. The start of a program is part of its time.

Members of one group, on the same two cores as the servers:

{table(results, "members", ["members", "users"], ["rate", "peak_mb"])}

Larger records (a field that is ignored makes up for the rest):

{table(results, "record-size", ["system", "padding"], drained, ["system", "bytes more"])}
"""
    (docs / "performance.md").write_text(text)


main()
