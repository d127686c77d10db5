# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import requirements

ROOT = Path(__file__).resolve().parent.parent


def test_the_ledger_has_every_row_once():
    rows = requirements.read_rows((ROOT / "docs/requirements.md").read_text())
    assert len(rows) == 499
    assert {row[0] for row in rows} == {"A", "N", "T", "P", "F"}


def write_results(folder: Path, body: str):
    (folder / "test-results").mkdir()
    (folder / "test-results/unit.xml").write_text(f"<testsuites><testsuite>{body}</testsuite></testsuites>")


def test_a_row_is_proved_only_if_every_test_that_names_it_passed(tmp_path):
    write_results(
        tmp_path,
        '<testcase name="a"><properties><property name="rows" value="A-01 A-02"/></properties></testcase>'
        '<testcase name="b" rows="A-02"><failure/></testcase>'
        '<testcase name="c" rows="A-03"><skipped/></testcase>'
        '<testcase name="d" rows="A-05"/>',
    )
    rows = {row: "000" for row in ("A-01", "A-02", "A-03", "A-04", "A-05")}
    states = requirements.judge(rows, requirements.read_verdicts(tmp_path), {"A-05": "gpu"})
    assert states == {"A-01": "proved", "A-02": "failing", "A-03": "open", "A-04": "open", "A-05": "elsewhere:gpu"}


def test_benchmark_claims_count_when_the_rival_ran(tmp_path):
    (tmp_path / "bench-results").mkdir()
    (tmp_path / "bench-results/train.json").write_text(
        '{"claims": [{"holds": true, "rows": ["T-1"]}, {"holds": null, "rows": ["T-2"]}, {"holds": false, "rows": ["T-3"]}]}'
    )
    assert requirements.read_verdicts(tmp_path) == {"T-1": [True], "T-3": [False]}


def test_a_row_that_nothing_checked_is_open_wherever_its_proof_lies():
    assert requirements.judge({"A-60": "000"}, {}, {"A-60": "gpu"}) == {"A-60": "open"}


def test_what_is_elsewhere_are_rows_of_the_ledger_with_a_known_place():
    rows = requirements.read_rows((ROOT / "docs/requirements.md").read_text())
    elsewhere = requirements.read_elsewhere(ROOT / "docs/requirements_elsewhere.txt")
    assert elsewhere and set(elsewhere) <= set(rows)
    assert set(elsewhere.values()) <= {"gpu", "container-engine", "kubernetes", "systemd"}
