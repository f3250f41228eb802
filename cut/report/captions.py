"""Table captions: protocol and provenance of the numbers, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from cut.metrics.catalogue import COSTS, METRICS, OPERATIONS
from cut.report.wording import how_scored, one_training, why
from cut.results.comparison import differences
from cut.results.protocol import image_counts
from cut.results.published import PublishedNumber, published_number, source_of
from cut.results.rows import Row, present, runs_of
from cut.results.run import Run

ROLE_WORDS = {
    "floor": "what doing nothing scores",
    "ceiling": "real target training images scored as if translated, about what a perfect"
    " translator scores with this number of images",
}
OPERATION_WORDS = (
    "GFLOP/pair and GFLOP/image: floating-point operations (1e9, counted, the same on any machine)"
    " of a training step per pair of images, and of translating one image."
)
PAIRED_WORDS = {"l1": "L1 (of values in [0, 1])", "ssim": "SSIM", "st_lpips_truth": "ST-LPIPS"}


def caption(
    rows: Sequence[Row],
    shown: Collection[str] | None = None,
    spread: bool = True,
    compared: bool = False,
) -> list[str]:
    """Return the sentences of one data set's table; the first says what the table is.

    Args:
        rows: the rows of the data set.
        shown: the metrics with a column, by default all; the caption is silent about others.
        spread: whether cells show the deviation over seeds.
        compared: whether the table shows published FIDs.
    """
    shown = METRICS if shown is None else shown
    runs = runs_of(rows)
    sentences = [_what(runs, spread), _counts(runs), *one_training(rows), *_protocol(runs, shown)]
    sentences += _best(runs) if "fid_best" in shown else []
    sentences += _controls(rows)
    sentences += _cost(runs) if {*COSTS} & {*shown} else []
    return [*sentences, *(_published(rows) if compared else [])]


def shared_first(parts: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the sentences common to all data sets, then one text per data set with its name.

    `parts` has each data set's own sentences.
    """
    lists = list(parts.values())
    shared = [s for s in lists[0] if all(s in other for other in lists[1:])]
    own = {name: [s for s in mine if s not in shared] for name, mine in parts.items()}
    return shared + [f"{name}: {' '.join(mine)}" for name, mine in own.items() if mine]


def _what(runs: Sequence[Run], spread: bool) -> str:
    return f"Final epoch, {_size(runs, spread)}"


def _size(runs: Sequence[Run], spread: bool = True) -> str:
    h, w = runs[0].record.size
    seeds = sorted({run.record.seed for run in runs})
    several = len(seeds) > 1
    text = f"{h}x{w} pixels, seed{'s' if several else ''} {conjunction(seeds)}"
    return text + (" (mean ± standard deviation)." if several and spread else ".")


def _counts(runs: Sequence[Run]) -> str:
    translations = sorted({image_counts(run)[0] for run in runs})
    references = image_counts(runs[0])[1]
    return f"{conjunction(translations)} test translations against {references} real images."


def _protocol(runs: Sequence[Run], shown: Collection[str]) -> list[str]:
    """Return how the scores shown were computed."""
    found = _features(runs, shown) if {"fid", "fid_best", "kid"} & {*shown} else []
    if {"precision", "recall", "density", "coverage"} & {*shown}:
        found.append(
            "Precision and density measure whether translations look like real images, recall and"
            " coverage whether they are as varied."
        )
    if "sfid" in shown:
        found.append(
            "sFID is FID on inner features that keep positions: it also compares where things are."
        )
    if {"mind", "mmd"} & {*shown}:
        found.append(
            "MIND and Gaussian MMD compare translations with real images, as FID does: the one by"
            " sorted projections, the other by a kernel (times 1000)."
        )
    if "vendi" in shown:
        found.append(
            "The Vendi score is the effective number of different translations, whatever they show."
        )
    if "memorised" in shown and any(run.protocol.training for run in runs):
        found.append(
            "Memorised: the share of translations that are nearer to a training image of the target"
            " than that image is to its own nearest neighbour there."
        )
    if {"perceptual", "self_similarity"} & {*shown}:
        found.append(
            "Content distance and self-similarity difference compare a translation with its input:"
            " an unchanged image scores 0."
        )
    if "st_lpips_input" in shown and any(run.protocol.st_lpips for run in runs):
        found.append("ST-LPIPS to the input is another content distance; it is not LPIPS.")
    if "edges" in shown and any(run.protocol.edges for run in runs):
        found.append(
            "Edge agreement is the correlation of HED's edge maps of input and translation: 1 for"
            " an unchanged image."
        )
    known = {name for run in runs for name, score in run.scored.scores.items() if score is not None}
    paired = [words for name, words in PAIRED_WORDS.items() if name in known & {*shown}]
    if paired:
        verb = "compare" if len(paired) > 1 else "compares"
        found.append(f"{conjunction(paired)} {verb} translations with their true counterparts.")
    return found


def _features(runs: Sequence[Run], shown: Collection[str]) -> list[str]:
    """Return which features FID and KID are computed on, and what their interval is."""
    scored = [run for run in runs if run.scored.scores.get("fid") is not None]
    if not scored:
        return []
    side, weights = scored[0].protocol.fake, scored[0].protocol.weights
    names = "FID and KID" if "kid" in shown else "FID"
    text = f"{names} on features of {side.extractor} (images resized {side.resize})"
    if weights:
        digest = weights.tensors_sha256[:12]
        text += f"; weights from {weights.source}, sha256 of the tensors {digest}"
    found = [f"{text}."]
    if "kid" in shown:
        found.append("KID is shown times 1000.")
    if "fid_low" in shown and any(run.value("fid_low")[0] is not None for run in scored):
        found.append(
            "Interval: 95 % bootstrap interval of the FID over images; it does not cover the"
            " variation between trainings."
        )
    return found


def _best(runs: Sequence[Run]) -> list[str]:
    """Return how best epochs were chosen."""
    chosen = [run.best.record for run in runs if run.best and not run.best.record.missing]
    if not chosen:
        return []
    steps = sorted({best.every for best in chosen})
    every = "epoch" if steps == [1] else f"{conjunction(steps)} epochs"
    words = {
        "test": "the lowest FID over the test images themselves (an optimistic choice)",
        "held_out": "the lowest FID over {} source images held out of training",
    }
    ways = dict.fromkeys(words[best.chosen_on].format(best.images) for best in chosen)
    return [
        f"Best epoch: of the generators kept every {every}, the one with {conjunction(list(ways))}."
    ]


def _controls(rows: Sequence[Row]) -> list[str]:
    words = [f"{row.name} is the {row.role}, {ROLE_WORDS[row.role]}" for row in rows if row.control]
    return [f"Controls: {'; '.join(words)}."] if words else []


def _cost(runs: Sequence[Run]) -> list[str]:
    found = machines(runs)
    return [f"Time and peak memory on {conjunction(found)}."] if found else []


def cost_caption(rows: Sequence[Row]) -> list[str]:
    """Return the sentences of one data set's table of costs."""
    runs = runs_of(rows)
    counted = bool(present(rows, OPERATIONS))
    return [_size(runs), *_cost(runs), *([OPERATION_WORDS] if counted else [])]


def machines(runs: Iterable[Run]) -> list[str]:
    """Return the machines of the trained runs in words, each once."""
    return list(dict.fromkeys(_machine(run) for run in runs if run.record.trained))


def _machine(run: Run) -> str:
    hardware = run.record.hardware
    if run.record.peak_memory_kind == "cuda":
        return f"{hardware.gpu or 'a GPU'} (memory allocated on it)"
    plural = "s" if hardware.threads != 1 else ""
    return f"{hardware.cpu or 'a CPU'}, {hardware.threads} thread{plural} (resident memory)"


def _published(rows: Sequence[Row]) -> list[str]:
    """Return the sources of published FIDs, and what keeps the rows from comparison."""
    numbers = [(row, published_number(row.dataset, row.name, "fid")) for row in rows]
    known = [(row, number) for row, number in numbers if number]
    if not known:
        return []
    reasons: dict[str, list[str]] = {}
    for row, number in known:
        for reason in why(differences(row.first, number)):
            reasons.setdefault(reason, []).append(row.name)
    first, *rest = sources(known)
    words = [
        reason if len(names) == len(known) else f"{reason} ({', '.join(names)})"
        for reason, names in reasons.items()
    ]
    if words:
        first = f"{first[:-1]}; for context only, not comparable: {'; '.join(words)}."
    return [first, *rest]


def sources(
    numbers: Sequence[tuple[Row, PublishedNumber]],
    what: str = "Published FID",
    scored: bool = True,
) -> list[str]:
    """Return the sources of published numbers and the remarks on them.

    The first sentence names the sources, and of several the rows of each.

    Args:
        numbers: rows with a published number; at least one.
        what: what the numbers are.
        scored: say how the numbers were scored.
    """
    remarks: dict[str, dict[str, None]] = {}
    places: dict[str, dict[str, None]] = {}
    ways: dict[str, dict[str, None]] = {}
    for row, number in numbers:
        source = source_of(number)
        places.setdefault(source.name, {})[row.name] = None
        ways.setdefault(how_scored(number), {})[row.name] = None
        for remark in filter(None, [number.remark, source.remark]):
            remarks.setdefault(remark, {})[row.name] = None
    first = f"{what}: {'; '.join(_of_rows(places))}."
    how = [f"How scored: {words}." for words in _of_rows(ways)] if scored else []
    every = {row.name for row, _ in numbers}
    return [first, *how, *(_remark(text, names, every) for text, names in remarks.items())]


def _of_rows(found: Mapping[str, Mapping[str, None]]) -> list[str]:
    """Return texts, of several each with the names of its rows."""
    several = len(found) > 1
    return [f"{text} ({', '.join(names)})" if several else text for text, names in found.items()]


def _remark(text: str, names: Collection[str], every: Collection[str]) -> str:
    """Return a remark with its rows; without them where it is on every row of several."""
    if len(every) > 1 and len(names) == len(every):
        return f"{text[0].upper()}{text[1:]}."
    return f"On {conjunction(list(names))}: {text}."


def conjunction(items: Sequence[object]) -> str:
    """Return items as words: "a", "a and b", "a, b and c"."""
    words = [str(item) for item in items]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
