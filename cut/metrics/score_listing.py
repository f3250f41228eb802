"""The scores of one folder as lines for a terminal."""

from __future__ import annotations

from cut.base.image_size import in_words
from cut.metrics.catalogue import METRICS
from cut.records.scores import ScoresRecord


def score_listing(record: ScoresRecord) -> str:
    """Return the scores as lines to read, and each reason for missing ones once."""
    real, fake = record.protocol.real, record.protocol.fake
    lines = [f"{fake.images} images against {real.images} real ones"]
    if real.size != fake.size:
        lines.append(
            f"note: the real images are {in_words(real.size)}, these {in_words(fake.size)};"
            " FID depends on the size that images had before"
        )
    for name, value in record.scores.items():
        better = METRICS[name].better
        shown = "missing" if value is None else f"{value:.6g}"
        lines.append(f"  {name:16}{shown:14}{better and f'{better} is better'}".rstrip())
    for reason in dict.fromkeys(record.missing.values()):
        names = [name for name, given in record.missing.items() if given == reason]
        lines.append(f"missing {', '.join(names)}: {reason}")
    if apart := record.protocol.fast_network:
        fid = "" if apart.fid is None else f", FID by {apart.fid:.1e}"
        lines.append(f"the fast network's features differ by {apart.features:.1e}{fid} (relative)")
    return "\n".join(lines)
