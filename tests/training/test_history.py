"""The history of losses: means over intervals, rates, and continuing."""

from __future__ import annotations

import csv

import pytest
import torch

from cut.base.errors import UserError
from cut.training.history import COLUMNS, History, losses_of


def steps(history: History, values, first=1) -> None:
    for k, value in enumerate(values):
        history.add(first + k, {"G": torch.tensor(float(value)), "D": torch.tensor(value * 10.0)})


def close(history: History, iteration: int, seconds: float = 2.0, images: int = 1) -> dict:
    history.flush()
    history.interval_seconds += seconds
    return history.close(iteration, 1, 1.0, images)


def test_a_row_averages_its_interval_alone():
    history = History("row")
    steps(history, [1, 2, 3])
    first = close(history, 3, images=11)
    steps(history, [10], first=4)
    second = close(history, 4)
    assert (first["G"], first["D"]) == (2.0, 20.0) and (second["G"], second["D"]) == (10.0, 100.0)
    assert (first["images_per_second"], second["images_per_second"]) == (11 / 2.0, 0.5)
    assert list(first) == [*COLUMNS, "G", "D"] and losses_of(first) == ["G", "D"]
    assert history.rows == [first, second]


def test_the_time_left_follows_the_mean_rate():
    history = History("row")
    for iteration, seconds in ((1, 1.0), (2, 3.0)):
        steps(history, [1], iteration)
        close(history, iteration, seconds)
    assert history.train_seconds == 4.0
    assert history.seconds_left(2, 10) == 16.0


def test_waiting_is_the_time_that_batches_take_to_come(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("cut.training.history.time.perf_counter", lambda: clock[0])

    def slow():
        for seconds in (1.0, 2.0, 4.0):
            clock[0] += seconds
            yield seconds

    history = History("row")
    for batch in history.timed(slow()):
        clock[0] += 100  # a step
        steps(history, [batch])
        if batch != 1.0:
            close(history, 2)
    assert [row["waiting_seconds"] for row in history.rows] == [3.0, 4.0]
    assert history.waiting_seconds() == 7.0
    assert history.seconds_left(1, 3) == 2 * (history.train_seconds + 7.0)


def test_a_state_from_before_waiting_was_measured_continues():
    history = History("row")
    steps(history, [1])
    state = {k: v for k, v in history.state_dict().items() if k != "interval_waiting"}
    state["rows"] = [{name: 1.0 for name in COLUMNS if name != "waiting_seconds"}]
    other = History("row")
    other.load_state_dict(state)
    close(other, 2)
    assert other.rows[-1]["waiting_seconds"] == 0.0 and other.waiting_seconds() is None
    assert other.seconds_left(1, 2) == 2.0


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_loss_that_is_not_finite_is_named_with_its_first_step(value):
    history = History("row")
    steps(history, [1.0])
    history.add(2, {"G": torch.tensor(1.0), "D": torch.tensor(float(value))})
    history.add(3, {"G": torch.tensor(float(value)), "D": torch.tensor(1.0)})
    with pytest.raises(UserError, match=rf"loss D is {value} at iteration 2 of row"):
        history.flush()


def test_losses_are_looked_at_when_the_interval_ends():
    history = History("row")
    history.add(1, {"G": torch.tensor(float("nan"))})
    assert history.sums == {} and history.counted == 0
    with pytest.raises(UserError):
        history.state_dict()


def test_a_history_continues_inside_an_interval():
    straight = History("row")
    steps(straight, [1, 2, 3, 4])
    row = close(straight, 4)
    one = History("row")
    steps(one, [1, 2])
    other = History("row")
    other.load_state_dict(one.state_dict())
    steps(other, [3, 4], first=3)
    assert close(other, 4) == row


def test_the_file_has_every_digit(tmp_path):
    history = History("row")
    steps(history, [0.1, 0.2])
    row = close(history, 2)
    history.write(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", newline="") as file:
        (read,) = csv.DictReader(file)
    assert {name: float(value) for name, value in read.items()} == row


def test_a_history_without_steps_has_only_columns(tmp_path):
    History("row").write(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == ",".join(COLUMNS) + "\n"
