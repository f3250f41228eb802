"""Which figures a benchmark plans."""

from __future__ import annotations

from cut.plan.plan import make_plan


def test_the_encoder_is_drawn_of_the_first_contrastive_row():

    base = {"datasets": ["coats2stripes"], "size": 32}
    assert make_plan({**base, "run": ["copy", "gcgan"]}).encoded("coats2stripes") is None
    plan = make_plan({**base, "run": ["copy", "moco", "cut"]})
    assert plan.encoded("coats2stripes") == "results/coats2stripes/moco/seed0"
    own = {"query_encoder": "separate", "key_gradient": True}
    plan = make_plan(
        {**base, "run": ["own"], "methods": {"own": {"method": "cut", "options": own}}}
    )
    assert plan.encoded("coats2stripes") == "results/coats2stripes/own/seed0"
    alone = {"method": "cut", "options": {"lambda_nce": 0}}
    plan = make_plan({**base, "run": ["alone", "cut"], "methods": {"alone": alone}})
    assert plan.encoded("coats2stripes") == "results/coats2stripes/cut/seed0", "no trained heads"


def test_translations_of_one_input_are_compared_where_a_method_draws_several():
    base = {"datasets": ["coats2stripes"], "size": 32, "run": ["copy", "cut", "munit"]}
    assert make_plan(base).stochastic() == []
    plan = make_plan({**base, "extra_scores": ["st_lpips", "edges"]})
    assert plan.stochastic() == ["results/coats2stripes/munit/seed0"]
