#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that neither the compiler nor clang-tidy holds. Runs at the start of every build.

    tools/tidy.py [--root DIR] [--stamp FILE]

Prints `file:line: rule: message` per violation and exits 1 if there is any. Each rule is one function over
one file (or over the tree) and has a test in tidy_test.py that breaks it.
"""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

CODE = {".cc", ".h"}
FOLDERS = ("src", "apps", "bench")


@dataclass
class Graph:
    """The rows of cmake/module_graph.cmake."""

    modules: dict[str, set[str]] = field(default_factory=dict)
    in_tests: dict[str, set[str]] = field(default_factory=dict)
    apps: dict[str, set[str]] = field(default_factory=dict)

    def module_of(self, path: str) -> str | None:
        """The module that owns `path` (relative to src/): the longest row that is a prefix of its folder."""
        parts = path.split("/")[:-1]
        for length in range(len(parts), 0, -1):
            name = "/".join(parts[:length])
            if name in self.modules:
                return name
        return None

    def uses_asio(self, module: str) -> bool:
        return module == "net" or "net" in self.modules.get(module, set())


@dataclass
class Source:
    """One C++ file: where it is and whose it is."""

    path: Path
    relative: str
    text: str
    module: str | None  # None for apps/ and bench/
    app: str | None
    is_test: bool

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@dataclass(frozen=True)
class Violation:
    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


def read_graph(root: Path) -> Graph:
    text = re.sub(r"#[^\n]*", "", (root / "cmake/module_graph.cmake").read_text())
    graph = Graph()
    for call, arguments in re.findall(r"(nexa_allow\w*)\(([^)]*)\)", text):
        name, *dependencies = arguments.split()
        table = {"nexa_allow": graph.modules, "nexa_allow_in_tests": graph.in_tests, "nexa_allow_app": graph.apps}[call]
        table.setdefault(name, set()).update(dependencies)
    return graph


def read_sources(root: Path, graph: Graph) -> list[Source]:
    sources = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in CODE or not path.is_file():
                continue
            relative = path.relative_to(root).as_posix()
            inner = relative.split("/", 1)[1]
            sources.append(
                Source(
                    path=path,
                    relative=relative,
                    text=path.read_text(encoding="utf-8"),
                    module=graph.module_of(inner) if folder == "src" else None,
                    app=inner.split("/")[0] if folder == "apps" else None,
                    is_test=bool(re.search(r"_(test|bench|fuzz)\.cc$|_test_internal\.h$", relative)),
                )
            )
    return sources


def includes(source: Source):
    """(line number, header, is it in quotes) for every #include."""
    for number, line in enumerate(source.lines, 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if match:
            yield number, match[2], match[1] == '"'


def allowed_modules(source: Source, graph: Graph) -> set[str] | None:
    if source.app:
        return graph.apps.get(source.app, set()) | {"core"}
    if source.module is None:
        return None
    allowed = graph.modules[source.module] | {"core", source.module}
    if source.is_test:
        allowed |= graph.in_tests.get(source.module, set()) | {"fakes"}
    return allowed


def check_module_edges(source: Source, graph: Graph):
    allowed = allowed_modules(source, graph)
    if allowed is None and source.relative.startswith("src/"):
        yield Violation(source.relative, 1, "module", "lies in no module of cmake/module_graph.cmake")
        return
    for number, header, quoted in includes(source):
        if not quoted or "/" not in header:
            continue
        target = graph.module_of(header)
        owner = source.module or source.app or "bench"
        if target is None:
            yield Violation(source.relative, number, "module-edge", f'"{header}" belongs to no module')
        elif allowed is not None and target not in allowed:
            yield Violation(
                source.relative, number, "module-edge", f"module '{owner}' may not depend on '{target}' (\"{header}\")"
            )
        elif header.endswith("_internal.h") and target != source.module:
            yield Violation(source.relative, number, "internal-header", f'"{header}" is private to {target}')


# (what the header's name starts with, modules that may include it, what to say)
THIRD_PARTY = (
    (("torch/", "ATen/", "c10/", "arrow/", "parquet/"), lambda m, g: m.startswith("engine/"), "src/engine/ only"),
    (("sqlite3.h", "libpq-fe.h"), lambda m, g: m == "db", "db only"),
    (("boost/asio", "boost/beast"), lambda m, g: g.uses_asio(m), "net and what depends on it only"),
    (("curl/",), lambda m, g: m == "net", "net only"),
    (("openssl/",), lambda m, g: m in {"crypto", "net", "storage"}, "crypto, net and storage only"),
    (("nlohmann/json.hpp",), None, "never in a header, use json_fwd.hpp or JsonText"),
)


def check_third_party(source: Source, graph: Graph):
    for number, header, _ in includes(source):
        for prefixes, may_include, where in THIRD_PARTY:
            if not header.startswith(prefixes):
                continue
            if may_include is None:
                if source.relative.endswith(".h") and not source.relative.endswith(("_internal.h", "json_codec.h")):
                    yield Violation(source.relative, number, "third-party", f"<{header}>: {where}")
            elif source.module and not source.is_test and not may_include(source.module, graph):
                yield Violation(source.relative, number, "third-party", f"<{header}>: {where}")


def check_own_header_first(source: Source, graph: Graph):
    if not source.relative.endswith(".cc") or source.module is None:
        return
    base = re.sub(r"_(test|bench|fuzz)$", "", source.path.stem)
    own = source.path.with_name(base + ".h")
    first = next(includes(source), None)
    if own.exists() and first and not first[1].endswith("/" + own.name):
        yield Violation(source.relative, first[0], "own-header-first", f"include {own.name} before anything else")


# What may not stand in code, where it may all the same, and what to write instead.
BANNED = (
    (r"\bthrow\b", r"", "return an Error; third-party exceptions end in guard()"),
    (r"\bstd::regex\b", r"", "use RE2"),
    (r"\basio::detached\b", r"src/net/task_group\.cc", "spawn it in a TaskGroup"),
    (r"\b(getenv|environ)\b", r"apps/|src/fakes/", "settings are passed in; only apps/ reads the environment"),
    (r"\bsystem_clock::now\b", r"src/core/clock\.cc", "take a Clock"),
    (r"\b(random_device|mt19937(?:_64)?|s?rand)\b(?=\s*[({;\s])", r"", "take a Random"),
    (r"\bthis_thread::sleep_(?:for|until)\b", r"", "wait for what is awaited, with a deadline"),
)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def code_lines(text: str) -> list[str]:
    """The lines without comments and strings; as many as before."""
    return COMMENT_OR_STRING.sub(lambda match: "\n" * match[0].count("\n"), text).splitlines()


def check_banned(source: Source, graph: Graph):
    if source.is_test:
        return
    for number, line in enumerate(code_lines(source.text), 1):
        for pattern, allowed, instead in BANNED:
            if re.search(pattern, line) and not (allowed and re.match(allowed, source.relative)):
                yield Violation(source.relative, number, "banned", f"{re.search(pattern, line)[0]}: {instead}")


FORBIDDEN_NAMES = re.compile(r"(?:^|[_/])(utils?|helpers?|common|managers?|misc)(?=[_./]|$)")


def check_names(source: Source, graph: Graph):
    if match := FORBIDDEN_NAMES.search(source.relative):
        yield Violation(source.relative, 1, "name", f"'{match[1]}' says nothing: name it by what it does")


def check_headers(source: Source, graph: Graph):
    if not source.relative.endswith(".h"):
        return
    if not re.match(r"(?://[^\n]*\n)+#pragma once\n", source.text):
        yield Violation(source.relative, 2, "pragma-once", "#pragma once follows the licence")
    for number, line in enumerate(code_lines(source.text), 1):
        macro = re.match(r"\s*((?:CO_)?TRY(?:_STATUS)?)\(", line)
        if macro and not source.relative.endswith("_internal.h"):
            yield Violation(source.relative, number, "macro", f"{macro[1]} is for .cc files: it would leak into who includes this")


UNDONE = re.compile(r"\b(TODO|FIXME|HACK|XXX)\b(?!X)")
NOLINT = re.compile(r"\bNOLINT(NEXTLINE|BEGIN|END)?\b(\([\w.,*-]+\))?(: \S)?")


def check_comments(source: Source, graph: Graph):
    """What is not done does not land, and what a check must not say names the check and why."""
    for number, line in enumerate(source.lines, 1):
        comment = line.partition("//")[2]
        if match := UNDONE.search(comment):
            yield Violation(source.relative, number, "undone", f"{match[1]}: finish it, or leave it out")
        for kind, check, reason in NOLINT.findall(comment):
            if not check or (not reason and kind != "END"):
                yield Violation(source.relative, number, "nolint", "write NOLINT(check-name): and the reason")


LINES_MAX = {".h": 300, ".cc": 600}
TEST_LINES_MAX = 800
# Longer than they should be. This list may only shrink, and so may the numbers.
LONG_FILES: dict[str, int] = {}


def check_size(source: Source, graph: Graph):
    most = TEST_LINES_MAX if source.is_test else LINES_MAX[source.path.suffix]
    most = LONG_FILES.get(source.relative, most)
    if len(source.lines) > most:
        yield Violation(source.relative, most + 1, "size", f"has {len(source.lines)} lines, {most} are allowed: split it")


def check_spdx(source: Source, graph: Graph):
    if not source.text.startswith("// SPDX-License-Identifier: Apache-2.0\n"):
        yield Violation(source.relative, 1, "spdx", "the first line names the licence")


FILE_RULES = (
    check_module_edges,
    check_third_party,
    check_own_header_first,
    check_banned,
    check_names,
    check_headers,
    check_comments,
    check_size,
    check_spdx,
)


def check_listed(root: Path, sources: list[Source]):
    """Every .cc is in a target: a file nobody builds is dead."""
    for source in sources:
        if not source.relative.endswith(".cc"):
            continue
        folder = source.path.parent
        while folder != root and not (folder / "CMakeLists.txt").exists():
            folder = folder.parent
        listing = (folder / "CMakeLists.txt").read_text()
        name = source.path.relative_to(folder).as_posix()
        if not re.search(rf"(?<![\w/]){re.escape(name)}\b", listing):
            yield Violation(source.relative, 1, "unlisted", f"is in no target of {folder.name}/CMakeLists.txt")


def violations(root: Path) -> list[Violation]:
    graph = read_graph(root)
    sources = read_sources(root, graph)
    found = [v for source in sources for rule in FILE_RULES for v in rule(source, graph)]
    found += check_listed(root, sources)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--stamp", type=Path, help="file to touch when all is well")
    options = parser.parse_args()
    found = violations(options.root)
    for violation in found:
        print(violation)
    if not found and options.stamp:
        options.stamp.touch()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
