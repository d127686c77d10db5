# SPDX-License-Identifier: Apache-2.0
"""The judge of ./dev bench: order, medians, ratio, bar."""

import bench
import pytest


def side(name, figures, log):
    figures = iter(figures)

    def run():
        log.append(name)
        return next(figures)

    return run


def claim(ours, rival, **more):
    log = []
    made = bench.Claim(
        name="speed", unit="1/s", bar=1.0, ours=side("ours", ours, log), rival=rival and side("rival", rival, log), **more
    )
    return made, log


def test_the_sides_take_turns_in_going_first():
    made, log = claim([1] * 4, [1] * 4)
    bench.measure(made, 4)
    assert log == ["ours", "rival", "rival", "ours", "ours", "rival", "rival", "ours"]


def test_the_ratio_is_the_median_of_the_pairs():
    made, _ = claim([10, 30, 20, 22, 18], [10, 10, 10, 20, 20])
    result = bench.measure(made, 5)
    assert (result["ours"], result["rival"], result["ratio"], result["holds"]) == (20, 10, 1.1, True)


@pytest.mark.parametrize(("ours", "holds"), [(9.99, False), (10, True)])
def test_a_claim_holds_from_its_bar_on(ours, holds):
    made, _ = claim([ours] * 5, [10] * 5)
    assert bench.measure(made, 5)["holds"] is holds


def test_where_less_is_better_the_ratio_turns_round():
    made, _ = claim([2] * 5, [3] * 5, more_is_better=False)
    assert bench.measure(made, 5)["ratio"] == 1.5


def test_without_a_rival_the_bar_is_a_figure_of_ours():
    fast, _ = claim([2] * 5, None, more_is_better=False)
    assert bench.measure(fast, 5)["holds"] is False
    slow, _ = claim([2] * 5, None)
    assert bench.measure(slow, 5)["holds"] is True


def test_a_rival_that_cannot_run_counts_neither_way():
    def absent():
        raise bench.NotRun("no built copy of llm.c")

    result = bench.measure(bench.Claim(name="speed", unit="1/s", bar=1.0, ours=lambda: 1.0, rival=absent), 5)
    assert result["holds"] is None
    assert result["reason"] == "no built copy of llm.c"


def test_every_set_of_claims_loads_and_names_targets_of_the_build():
    listing = (bench.ROOT / "bench/CMakeLists.txt").read_text()
    names = [file.parent.name for file in bench.ROOT.glob("bench/*/claims.py")]
    assert names
    for name in names:
        module = bench.load_claims(name)
        programs = [target for target in module.TARGETS if not (bench.ROOT / "apps" / target).is_dir()]
        assert all(f"nexa_bench_program({target}" in listing for target in programs), name
        claims = module.claims(bench.Bench(bench.ROOT / "build-release"))
        assert len({claim.name for claim in claims}) == len(claims) > 0
