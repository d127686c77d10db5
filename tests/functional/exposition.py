# SPDX-License-Identifier: Apache-2.0
"""A strict reader of the Prometheus text format, version 0.0.4: what it returns is well-formed in every line."""

import re
import shutil
import subprocess

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (NaN|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def read_labels(text: str) -> tuple[tuple[str, str], ...]:
    labels, at = [], 0
    while at < len(text):
        label = LABEL.match(text, at)
        assert label, f"bad labels: {text}"
        labels.append((label[1], label[2]))
        at = label.end()
    assert len(dict(labels)) == len(labels), f"a label twice: {text}"
    return tuple(sorted(labels))


def family_of(sample: str, kinds: dict[str, str]) -> str:
    base = re.sub(r"_(bucket|sum|count)$", "", sample)
    return base if kinds.get(base) == "histogram" else sample


def check_histograms(samples: dict, kinds: dict[str, str]) -> None:
    buckets: dict = {}
    for (name, labels), value in samples.items():
        if name.endswith("_bucket") and kinds.get(name.removesuffix("_bucket")) == "histogram":
            others = tuple(label for label in labels if label[0] != "le")
            buckets.setdefault((name.removesuffix("_bucket"), others), []).append((float(dict(labels)["le"]), value))
    for (name, labels), pairs in buckets.items():
        counts = [count for _, count in pairs]
        assert pairs == sorted(pairs) and counts == sorted(counts), f"buckets of {name} do not rise"
        assert pairs[-1][0] == float("inf") and counts[-1] == samples[f"{name}_count", labels], name
        assert (f"{name}_sum", labels) in samples


def read_exposition(text: str) -> dict[tuple[str, tuple], float]:
    """(name, sorted labels) -> value. Each family has its HELP and TYPE right before its samples, once."""
    assert text.endswith("\n")
    kinds: dict[str, str] = {}
    samples: dict = {}
    current = helped = ""
    for line in text.splitlines():
        if match := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            helped = match[1]
            assert helped not in kinds, f"{helped} comes twice"
        elif match := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line):
            current = match[1]
            assert current == helped
            kinds[current] = match[2]
        else:
            match = SAMPLE.fullmatch(line)
            assert match, f"no sample: {line}"
            assert family_of(match[1], kinds) == current, line
            key = (match[1], read_labels(match[2] or ""))
            assert key not in samples, f"{line}: comes twice"
            samples[key] = float(match[3])
            assert kinds[current] == "gauge" or samples[key] >= 0, line
    check_histograms(samples, kinds)
    check_with_promtool(text)
    return samples


def check_with_promtool(text: str) -> None:
    """Prometheus's own opinion, where it is installed."""
    if promtool := shutil.which("promtool"):
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def polls_so_far(client) -> float:
    """How many polls of workers for jobs a server has answered."""
    samples = read_exposition(client.get("/metrics").body.decode())
    return sum(
        value for (name, labels), value in samples.items()
        if name == "nexa_http_requests_total" and dict(labels)["operation"] == "workers_next_job"
    )
