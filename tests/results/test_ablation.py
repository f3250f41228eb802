"""The options in which an ablation's rows differ."""

from __future__ import annotations

from fake_runs import write_run

from cut.results.ablation import Variant, all_layers, variants_of
from cut.results.rows import rows_of
from cut.results.run import load_run

BASE = {"identity": True, "n_patches": 256, "nce_layers": [0, 8, 16], "tau": 0.07}


def variants(root, **rows):
    """Return the variants of rows with these options."""
    runs = [load_run(write_run(root / name, name, options=o)) for name, o in rows.items()]
    return variants_of(rows_of(runs))


def test_a_variant_has_its_negatives_layers_and_other_options(tmp_path):
    bank = {"n_external": 0, "bank_size": 2048}
    found = variants(
        tmp_path,
        cut=BASE,
        few=BASE | {"n_patches": 16, "identity": False},
        last=BASE | {"nce_layers": [16], "tau": 0.2},
        external=BASE | bank | {"negatives": "external"},
        both=BASE | {"negatives": "both", "n_external": 255, "bank_size": 0},
    )
    assert found == {
        "cut": Variant(True, 255, 0, (0, 8, 16), {}),
        "few": Variant(False, 15, 0, (0, 8, 16), {}),
        "last": Variant(True, 255, 0, (16,), {"tau": 0.2}),
        "external": Variant(True, 0, 2048, (0, 8, 16), {}),
        "both": Variant(True, 255, 255, (0, 8, 16), {}),
    }
    assert all_layers(list(found.values())) == (0, 8, 16) and all_layers([]) == ()


def test_the_gan_alone_compares_nothing(tmp_path):
    found = variants(
        tmp_path,
        cut=BASE | {"lambda_nce": 1.0},
        alone=BASE | {"lambda_nce": 0.0, "identity": True},
        bank=BASE | {"lambda_nce": 0.0, "negatives": "both", "n_external": 255},
    )
    none = Variant(False, 0, 0, (), {"lambda_nce": 0.0})
    assert (found["alone"], found["bank"]) == (none, none)
    assert all_layers(list(found.values())) == (0, 8, 16)


def test_a_foreign_method_with_layers_is_no_variant(tmp_path):
    found = variants(tmp_path, foreign={"nce_layers": [0, 4], "lambda_gan": 1.0}, cut=BASE)
    assert list(found) == ["cut"]


def test_a_bank_without_counts_has_no_external_negatives(tmp_path):
    (found,) = variants(tmp_path, odd=BASE | {"negatives": "external"}).values()
    assert (found.internal, found.external) == (0, 0)
