"""docs/alerts.yml and the table of docs/operations.md name the metrics that the programs serve. Needs the built programs, and no server:
a program serves its metrics while it waits for one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("STREAMFLOW_BIN_DIR", REPOSITORY / "target" / "release"))
RULES = REPOSITORY / "docs" / "alerts.yml"
JOBS = ["fetch-publish", "transform-store", "aggregate"]
# Prometheus itself says whether a scrape was answered.
ITS_OWN = {"up"}
NAME = r"\b(?:streamflow|process)_[a-z_]+\b"


@cache
def scrape(job: str) -> str:
    path = PROGRAMS / job
    if not path.exists():
        pytest.skip(f"{path} is not built")
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "DATABASE_URL": "postgres://streamflow@127.0.0.1:1/streamflow"}
    command = [path, "--metrics-addr", "127.0.0.1:0", "--connect-timeout", "60s"]
    with subprocess.Popen(command, env=nowhere, stderr=subprocess.PIPE, text=True) as program:
        try:
            url = next(found[0] for line in program.stderr if (found := re.search(r"http://\S+/metrics", line)))
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.read().decode()
        finally:
            program.kill()


@cache
def served() -> dict[str, set[str]]:
    """The labels of each metric, by its name as queries have it; of a histogram, its three."""
    labels: dict[str, set[str]] = {}
    for job in JOBS:
        text = scrape(job)
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
            for suffix in {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}[kind]:
                labels.setdefault(name + suffix, set())
        for name, inside in re.findall(r"^(\w+)\{(.*)\} \S+$", text, re.M):
            labels[name] |= set(re.findall(r'(\w+=".*?")', inside))
    return labels


@cache
def rules() -> list[dict]:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    return group["rules"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_metrics_that_are_served(rule):
    expression = rule["expr"]
    metrics = set(re.findall(NAME, expression)) | {name for name in ITS_OWN if re.search(rf"\b{name}\b", expression)}
    assert metrics
    assert metrics - ITS_OWN <= set(served()), "no program serves it"
    # With a value that is there from the first scrape on.
    for name, selector in re.findall(rf"({NAME})\{{(.*?)\}}", expression):
        assert set(re.findall(r'\w+=".*?"', selector)) <= served()[name], expression


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_wrong_and_how_bad(rule):
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}


def test_operations_explains_every_metric():
    text = (REPOSITORY / "docs" / "operations.md").read_text()
    section = text.split("\n## Metrics and health\n")[1].split("\n## ")[0]
    explained = set(re.findall(rf"`({NAME})", "\n".join(re.findall(r"^\|.*?\|", section, re.M))))
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served()}
    assert explained == families


def test_promtool_accepts_the_rules_and_the_metrics():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Prometheus")
    checked = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
