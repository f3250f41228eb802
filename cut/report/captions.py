"""The words under a table: what its numbers stand on, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cut.metrics.catalogue import COSTS
from cut.results.protocol import flatten, image_counts
from cut.results.published import differences, published, source_of
from cut.results.run import METRICS, Run

CONTROL_WORDS = {
    "copy": "copy is the input unchanged (the score of doing nothing)",
    "real": "real is real target training images scored as if translated (the floor that so few"
    " images leave, about what a perfect translator scores)",
}
PAIRED_WORDS = {"l1": "L1 (of values in [0, 1])", "ssim": "SSIM"}


def caption(
    dataset: str,
    runs: Sequence[Run],
    entries: Mapping[str, Mapping[str, Any] | None],
    shown: Collection[str] | None = None,
    spread: bool = True,
) -> list[str]:
    """Return the sentences of one data set's table: the first says what the table is.

    `entries` gives each row's published FID, or None. `shown` are the metrics with a column
    (default: all of them): nothing is said of another. `spread`: several seeds stand as ±.
    """
    shown = METRICS if shown is None else shown
    sentences = [_what(runs, spread), _counts(runs), *_protocol(runs, shown)]
    sentences += _best(runs) if "fid_best" in shown else []
    sentences += _controls(runs)
    sentences += _cost(runs) if {*COSTS} & {*shown} else []
    return [s for s in [*sentences, *_published(runs, entries)] if s]


def shared_first(parts: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the sentences that all data sets have in common, then one text for each with its name.

    `parts` has each data set's own sentences.
    """
    lists = list(parts.values())
    shared = [s for s in lists[0] if all(s in other for other in lists[1:])]
    own = {name: [s for s in mine if s not in shared] for name, mine in parts.items()}
    return shared + [f"{name}: {' '.join(mine)}" for name, mine in own.items() if mine]


def _what(runs: Sequence[Run], spread: bool) -> str:
    h, w = runs[0].facts["size"]
    seeds = sorted({run.facts["seed"] for run in runs})
    several = len(seeds) > 1
    listed = _and([str(seed) for seed in seeds])
    text = f"Final epoch, {h}x{w} pixels, seed{'s' if several else ''} {listed}"
    return text + (" (mean ± standard deviation)." if several and spread else ".")


def _counts(runs: Sequence[Run]) -> str:
    counts = sorted({n for run in runs if (n := image_counts(run)[0]) is not None})
    references = image_counts(runs[0])[1]
    if not counts or not references:
        return ""
    many = _and([str(n) for n in counts])
    return f"{many} test translations against {references} real images."


def _protocol(runs: Sequence[Run], shown: Collection[str]) -> list[str]:
    found = []
    scored = [run for run in runs if run.scores.get("fid") is not None]
    if scored and {"fid", "fid_best", "kid"} & {*shown}:
        flat = flatten(scored[0].protocol)
        extractor, resize = flat.get("fake.extractor", "Inception"), flat.get("fake.resize")
        resized = f" (images resized {resize})" if resize else ""
        source, digest = flat.get("weights.source"), flat.get("weights.tensors_sha256")
        weights = f"; weights from {source}" if source else ""
        weights += f", sha256 of the tensors {str(digest)[:12]}" if digest else ""
        names = "FID and KID" if "kid" in shown else "FID"
        found.append(f"{names} on features of {extractor}{resized}{weights}.")
        if "kid" in shown:
            found.append("KID is shown times 1000.")
        if "fid_low" in shown and any(run.value("fid_low")[0] is not None for run in scored):
            found.append(
                "Interval: how far another choice of images moves this FID (bootstrap, 95 %); it"
                " says nothing of another training."
            )
    if {"precision", "recall", "density", "coverage"} & {*shown}:
        found.append("Precision and density ask whether translations look like real images, recall"
                     " and coverage whether they are as varied.")  # fmt: skip
    if {"perceptual", "self_similarity"} & {*shown}:
        found.append("Content distance and self-similarity difference are taken to the input: 0 for"
                     " an image that was not changed.")  # fmt: skip
    known = {name for run in runs for name, value in run.scores.items() if value is not None}
    paired = [words for name, words in PAIRED_WORDS.items() if name in known & {*shown}]
    if paired:
        verb = "are" if len(paired) > 1 else "is"
        found.append(f"{_and(paired)} {verb} taken to the true counterparts.")
    return found


def _best(runs: Sequence[Run]) -> list[str]:
    """Return how best epochs were chosen: by images held out, or by those that it is scored on."""
    chosen = [run.best for run in runs if run.best and not run.best["missing"]]
    if not chosen:
        return []
    steps = sorted({best["every"] for best in chosen})
    every = "epoch" if steps == [1] else f"{_and([str(n) for n in steps])} epochs"
    words = {
        "test": "the lowest FID over the test images themselves, which flatters it",
        "held_out": "the lowest FID over {} source images held out of training",
    }
    ways = dict.fromkeys(words[best["chosen_on"]].format(best["images"]) for best in chosen)
    return [f"Best epoch: of the generators kept every {every}, the one with {_and(list(ways))}."]


def _controls(runs: Sequence[Run]) -> list[str]:
    names = dict.fromkeys(run.facts["algorithm"] for run in runs if run.control)
    words = [CONTROL_WORDS[name] for name in names]
    return [f"Controls: {'; '.join(words)}."] if words else []


def _cost(runs: Sequence[Run]) -> list[str]:
    found = machines(runs)
    return [f"Time and peak memory on {_and(found)}."] if found else []


def machines(runs: Sequence[Run]) -> list[str]:
    """Return what the trained runs ran on, in words, each once."""
    trained = (run for run in runs if run.value("images")[0] is not None)
    return list(dict.fromkeys(_machine(run) for run in trained))


def _machine(run: Run) -> str:
    hardware = run.facts["hardware"]
    if run.facts.get("peak_memory_kind") == "cuda":
        return f"{hardware.get('gpu', 'a GPU')} (memory allocated on it)"
    threads = hardware.get("threads", 1)
    plural = "s" if threads != 1 else ""
    return f"{hardware.get('cpu') or 'a CPU'}, {threads} thread{plural} (resident memory)"


def _published(runs: Sequence[Run], entries: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """Return where published numbers come from, and what keeps them from comparison."""
    reasons: dict[str, list[str]] = {}
    for method, entry in entries.items():
        run = next((run for run in runs if run.facts["method"] == method), None)
        for reason in differences(run, entry) if entry and run else []:
            reasons.setdefault(reason, []).append(method)
    first, *rest = sources([(m, entry) for m, entry in entries.items() if entry]) or [""]
    rows = [method for method, entry in entries.items() if entry]
    words = [r if len(m) == len(rows) else f"{r} ({', '.join(m)})" for r, m in reasons.items()]
    if words:
        first = f"{first[:-1]}; context, not a comparison: {'; '.join(words)}."
    return [first, *rest]


def sources(
    entries: Sequence[tuple[str, Mapping[str, Any]]], what: str = "Published FID"
) -> list[str]:
    """Return where published numbers come from and what else is known of them.

    `entries` are (row, its published number); without any there are no sentences.
    """
    if not entries:
        return []
    remarks: dict[str, dict[str, None]] = {}
    for method, entry in entries:
        if "remark" in entry:
            remarks.setdefault(entry["remark"], {})[method] = None
    places = dict.fromkeys(source_of(entry) for _, entry in entries)
    told = [f"Of {_and(list(methods))}: {remark}." for remark, methods in remarks.items()]
    epoch = f"The epoch that the paper scored is {published()['protocol']['epoch_scored']}."
    return [f"{what}: {_and(list(places))}.", *told, epoch]


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
