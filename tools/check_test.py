# SPDX-License-Identifier: Apache-2.0
"""What ./dev check makes of what its parts say."""

import argparse
import re
from pathlib import Path

import check
import clang_tidy
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setattr(check, "LOGS", tmp_path)
    monkeypatch.setattr(check, "ROOT", tmp_path)
    return argparse.Namespace(seeds=3, first_seed=None, seconds_per_fuzzer=1)


def run(how, options) -> bool:
    return check.run_part(check.Row("part", how, ""), options)


def test_a_part_that_passes_is_one_line_with_its_summary(options, capsys):
    assert run(lambda part: "7 files", options)
    assert capsys.readouterr().out.splitlines() == ["ok     part              0 s  7 files"]


def test_a_part_that_fails_shows_the_end_of_what_it_said(options, capsys):
    def broken(part):
        part.need("it broke", "sh", "-c", "seq 100; exit 1")

    assert not run(broken, options)
    shown = capsys.readouterr().out
    assert shown.startswith("FAILED part")
    assert "it broke" in shown
    assert "    100\n" in shown and "    61\n" in shown and "    60\n" not in shown


def test_a_long_list_of_files_does_not_hide_the_findings(options, capsys):
    def broken(part):
        part.need("it broke", "sh", "-c", "echo finding; exit 1", *[f"file{n}" for n in range(500)])

    assert not run(broken, options)
    shown = capsys.readouterr().out
    assert "finding" in shown and "file16 and 483 more\n" in shown and "file17" not in shown


def test_the_summary_may_be_the_last_line_of_a_command(options, capsys):
    def counted(part):
        part.need("no", "sh", "-c", "echo one; echo; echo 5 passed; echo")
        return part.last_line()

    assert run(counted, options)
    assert "5 passed" in capsys.readouterr().out


def test_cases_are_counted_from_results(tmp_path):
    (tmp_path / "a.xml").write_text(
        "<testsuites><testsuite><testcase/><testcase><failure/></testcase><testcase><error/></testcase>"
        '<testcase status="notrun"/><testcase><skipped/></testcase></testsuite></testsuites>'
    )
    assert check.count_cases([tmp_path / "a.xml"]) == (1, 2)


def test_rows_count_as_unproved_without_results(options):
    assert not run(check.check_requirements, options)


def test_the_summary_of_clang_tidy_is_its_own(options, monkeypatch, capsys):
    monkeypatch.setattr(check.Part, "build", lambda part, *_: part.log.write("[9/9] built\n"))
    monkeypatch.setattr(check.Part, "run", lambda part, *_: part.log.write("3 files, 1 with findings\n") == 0)
    assert not run(check.check_clang_tidy, options)
    assert capsys.readouterr().out.splitlines()[0].endswith("3 files, 1 with findings")


def test_what_is_left_out_under_a_sanitizer_is_marked_somewhere():
    known = (REPOSITORY / "pytest.ini").read_text()
    tests = "".join(file.read_text() for file in (REPOSITORY / "tests/functional").glob("*_test.py"))
    for mark in re.findall(r"not (\w+)", check.FUNCTIONAL_MARKS):
        assert f"    {mark}: " in known
        assert f"pytest.mark.{mark}\n" in tests


def test_parts_have_names_of_their_own():
    names = [row.name for row in check.PARTS]
    assert len(set(names)) == len(names)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A source with a header that includes another; clang_tidy's look-ups start afresh."""
    monkeypatch.setattr(clang_tidy, "ROOT", tmp_path)
    (tmp_path / "src/data").mkdir(parents=True)
    (tmp_path / ".clang-tidy").write_text("Checks: '-*'\n")
    (tmp_path / "src/data/a.cc").write_text('#include "data/a.h"\n')
    (tmp_path / "src/data/a.h").write_text('#include "data/b.h"\n#include <vector>\n')
    (tmp_path / "src/data/b.h").write_text("int b;\n")
    (tmp_path / "src/data/c.h").write_text("int c;\n")

    def mark(command="clang++ a.cc"):
        clang_tidy.text_of.cache_clear()
        clang_tidy.headers_of.cache_clear()
        return clang_tidy.fingerprint(tmp_path / "src/data/a.cc", command, tmp_path / "generated")

    mark.root = tmp_path
    return mark


@pytest.mark.parametrize("file", [".clang-tidy", "src/data/a.cc", "src/data/a.h", "src/data/b.h"])
def test_a_source_is_looked_at_again_when_anything_that_it_reaches_changes(tree, file):
    before = tree()
    path = tree.root / file
    path.write_text(path.read_text() + "// new\n")
    assert tree() != before


def test_a_source_is_not_looked_at_again_for_what_it_does_not_reach(tree):
    before = tree()
    (tree.root / "src/data/c.h").write_text("int d;\n")
    assert tree() == before
    assert tree("clang++ -O3 a.cc") != before
