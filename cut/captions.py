"""The words under a table: what its numbers stand on, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cut.comparable import flatten, image_counts
from cut.published import differences, published, source_of
from cut.results import Run

CONTROL_WORDS = {
    "copy": "copy is the input unchanged (the score of doing nothing)",
    "real": "real is real target training images scored as if translated (the floor that so few"
    " images leave, about what a perfect translator scores)",
}


def caption(
    dataset: str, runs: Sequence[Run], entries: Mapping[str, Mapping[str, Any] | None]
) -> list[str]:
    """Return the sentences of one data set's table: the first says what the table is.

    `entries` gives each row's published FID, or None.
    """
    sentences = [_what(runs), *_protocol(runs), *_best(runs), *_controls(runs), *_cost(runs)]
    return [s for s in [*sentences, *_published(runs, entries)] if s]


def _what(runs: Sequence[Run]) -> str:
    h, w = runs[0].facts["size"]
    seeds = sorted({run.facts["seed"] for run in runs})
    several = len(seeds) > 1
    listed = _and([str(seed) for seed in seeds])
    counts = sorted({n for run in runs if (n := image_counts(run)[0]) is not None})
    references = image_counts(runs[0])[1]
    text = f"Final epoch, {h}x{w} pixels, seed{'s' if several else ''} {listed}"
    text += " (mean ± standard deviation)" if several else ""
    if counts and references:
        text += f"; {_and([str(n) for n in counts])} test translations against {references} real"
        text += " images"
    return text + "."


def _protocol(runs: Sequence[Run]) -> list[str]:
    found = []
    scored = [run for run in runs if run.scores.get("fid") is not None]
    if scored:
        flat = flatten(scored[0].protocol)
        extractor, resize = flat.get("fake.extractor", "Inception"), flat.get("fake.resize")
        resized = f" (images resized {resize})" if resize else ""
        source, digest = flat.get("weights.source"), flat.get("weights.tensors_sha256")
        weights = f"; weights from {source}" if source else ""
        weights += f", sha256 of the tensors {str(digest)[:12]}" if digest else ""
        found.append(f"FID and KID on features of {extractor}{resized}{weights}.")
        found.append("KID is shown times 1000.")
        if any(run.value("fid_low")[0] is not None for run in scored):
            found.append(
                "Interval: how far another choice of images moves this FID (bootstrap, 95 %); it"
                " says nothing of another training."
            )
    if any(run.scores.get(name) is not None for run in runs for name in ("l1", "ssim")):
        found.append("L1 (of values in [0, 1]) and SSIM are taken to the true counterparts.")
    return found


def _best(runs: Sequence[Run]) -> list[str]:
    """Return how best epochs were chosen: by images held out, or by those that it is scored on."""
    chosen = [run.best for run in runs if run.best and not run.best["missing"]]
    if not chosen:
        return []
    every = _and([str(n) for n in sorted({best["every"] for best in chosen})])
    words = {
        "test": "the lowest FID over the test images themselves, which flatters it",
        "held_out": "the lowest FID over {} source images held out of training",
    }
    ways = dict.fromkeys(words[best["chosen_on"]].format(best["images"]) for best in chosen)
    return [
        f"Best epoch: of the generators kept every {every} epochs, the one with {_and(list(ways))}."
    ]


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
    remarks: dict[str, list[str]] = {}
    sources: dict[str, None] = {}
    for method, entry in entries.items():
        if entry is None:
            continue
        sources[source_of(entry)] = None
        run = next(run for run in runs if run.facts["method"] == method)
        for reason in differences(run, entry):
            reasons.setdefault(reason, []).append(method)
        if "remark" in entry:
            remarks.setdefault(entry["remark"], []).append(method)
    if not sources:
        return []
    rows = [method for method, entry in entries.items() if entry]
    words = [r if len(m) == len(rows) else f"{r} ({', '.join(m)})" for r, m in reasons.items()]
    text = f"Published FID: {_and(list(sources))}"
    text += f"; context, not a comparison: {'; '.join(words)}." if words else "."
    told = [f"Of {_and(methods)}: {remark}." for remark, methods in remarks.items()]
    epoch = f"The epoch that the paper scored is {published()['protocol']['epoch_scored']}."
    return [text, *told, epoch]


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
