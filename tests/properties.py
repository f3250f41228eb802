"""Settings of the tests with drawn examples: the same few in each run, without a deadline."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FEW = settings(
    max_examples=100,
    deadline=None,  # the machine may be busy
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 2**63, 2**64, 10**400, 1e308, 5e-324])
)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["../x", "/", "~", "", "a\nb", "=1", "\x00", "x" * 5000, "null", "1e5"]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
