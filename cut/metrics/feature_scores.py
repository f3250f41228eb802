"""The scores of pooled features: of two sets, and the diversity of one."""

from __future__ import annotations

from cut.metrics import bootstrap, kid, mind, mmd, prdc, vendi
from cut.metrics.bootstrap import RESAMPLES
from cut.metrics.fid import fid
from cut.metrics.fid_infinity import LEAST_IMAGES, fid_infinity
from cut.metrics.inception.features import CHANNELS, SPATIAL_DIMS, Features
from cut.metrics.score_group import Scores

INTERVALS = ("fid", "kid")
BOUNDS = ("fid_low", "fid_high", "kid_low", "kid_high")
NAMES = (
    *("fid", *BOUNDS[:2], "fid_infinity", "sfid"),
    *("kid", "kid_std", *BOUNDS[2:]),
    *(*prdc.NAMES, "mind", "mmd", "vendi"),
)
# More than sFID has dimensions. With 140 images real ones score 583, unchanged inputs 598 and poor
# translations 520: it would rank rows by chance.
SFID_LEAST = SPATIAL_DIMS + 1
NO_SFID = "the features were kept before there was sFID; python -m cut features computes them again"
SFID = f"the first {CHANNELS} channels of Mixed_6d, 17x17 positions"
# Neighbours mean nothing where resamples repeat images: precision and its like have none.
SPREADS = {
    "fid": bootstrap.fid_spread,
    "kid": bootstrap.kid_spread,
    "mind": bootstrap.mind_spread,
    "mmd": bootstrap.mmd_spread,
}
FEW = "a distance of distributions needs at least two images on each side"
REASONS = {
    **dict.fromkeys(BOUNDS, f"needs at least {bootstrap.LEAST_IMAGES} images on each side"),
    "fid_infinity": f"needs at least {LEAST_IMAGES} images on each side: below, the bias is not"
    " linear in 1/N",
    "sfid": f"needs at least {SFID_LEAST} images on each side: below, it is nearly all bias",
    "kid_std": "needs at least 4 images on each side",
    **dict.fromkeys(prdc.NAMES, f"needs more than {prdc.NEIGHBOURS} images on each side"),
}


def distances(reference: Features, given: Features) -> Scores:
    """Return the scores `NAMES` of translations' features against those of real images."""
    protocol = {}
    if given.reason is None:
        protocol = {
            "weights": given.protocol.weights,
            "kid": kid.describe(len(reference.names), len(given.names)),
            "interval": f"{bootstrap.LEVEL} bootstrap, {bootstrap.RESAMPLES} resamples, centred",
            "sfid": SFID,
            "manifold": f"{prdc.NEIGHBOURS} neighbours",
            "mind": mind.PROTOCOL,
            "mmd": mmd.PROTOCOL,
            "vendi": vendi.PROTOCOL,
        }
    reason = reference.reason or given.reason
    if reason is None and min(len(reference.names), len(given.names)) < 2:
        reason = FEW
    if reason is not None:
        missing = Scores.none(NAMES, reason)
        return Scores(missing.values, missing.missing, protocol)
    pair = (reference.values, given.values)
    values: dict[str, float | None] = dict.fromkeys(NAMES)
    values["fid"] = fid(*pair)
    values["kid"], values["kid_std"] = kid.kid(*pair)
    if min(map(len, pair)) >= LEAST_IMAGES:
        values["fid_infinity"] = fid_infinity(*pair)
    kept = reference.spatial is not None and given.spatial is not None
    if kept and min(map(len, pair)) >= SFID_LEAST:
        values["sfid"] = fid(reference.spatial, given.spatial)
    if min(map(len, pair)) > prdc.NEIGHBOURS:
        values |= prdc.manifold(*pair)
    values["mind"], values["mmd"] = mind.mind(*pair), mmd.mmd(*pair)
    values["vendi"] = vendi.vendi(given.values)
    spreads = {name: found for name, spread in SPREADS.items() if (found := spread(*pair))}
    for name in set(INTERVALS) & set(spreads):
        values[f"{name}_low"], values[f"{name}_high"] = spreads[name].bounds(values[name])
    # KID of a few images lacks some resamples.
    whole = {n: spread for n, spread in spreads.items() if len(spread.values) == RESAMPLES}
    resamples = {name: spread.about(values[name]) for name, spread in whole.items()}
    reasons = REASONS if kept else REASONS | {"sfid": NO_SFID}
    missing = {name: reasons[name] for name, value in values.items() if value is None}
    return Scores(values, missing, protocol, resamples)
