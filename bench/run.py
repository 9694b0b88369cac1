"""Measures StreamFlow beside what others use, on the servers of one stack, one system at a time and in alternating order; called by
`make bench` (local/bench). Every round ends with a check of the rows. The results go to a file, of which report.py makes docs/performance.md."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import cases


def shown(value):
    if isinstance(value, dict):
        return " ".join(f"{key} {shown(part)}" for key, part in value.items())
    return f"{value:,.4g}" if isinstance(value, float) and value < 1_000 else f"{value:,.0f}" if isinstance(value, float) else str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer users and rounds: under 8 minutes")
    parser.add_argument("--only", default="", help="names of cases, separated by commas")
    parser.add_argument("--results", type=Path, required=True, help="the file for the results")
    arguments = parser.parse_args()
    only = [name for name in arguments.only.split(",") if name]
    size = cases.QUICK if arguments.quick else cases.FULL
    # Before the first measure: what is edited meanwhile is not measured.
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    results, failed, begun = [], 0, time.monotonic()
    for name, case in cases.ALL.items():
        if only and name not in only:
            continue
        print(f"[{time.monotonic() - begun:5.0f} s] {name}: {case.__doc__}", flush=True)
        try:
            for row in case(size):
                row = {"case": name, **row}
                results.append(row)
                print("  " + "  ".join(f"{key} {shown(value)}" for key, value in row.items()), flush=True)
        except Exception as error:  # one that fails must not cost the others
            failed += 1
            print(f"  FAILED: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    arguments.results.write_text(json.dumps({"quick": arguments.quick, "commit": commit, "seconds": time.monotonic() - begun, "rows": results}, indent=1))
    print(f"bench: {len(results)} measures, {failed} cases failed, in {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
