"""Write the skeleton of a new method: a class that trains, its test and its config.

    python -m baselines.new NAME [--commands]

Writes `baselines/NAME.py` (the example of `baselines/README.md`), its test under `tests/baselines/`
and `config/NAME.yaml`. With `--commands` it writes a folder `baselines/NAME/` for code from
elsewhere instead of the class. Existing files are never overwritten.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from cut.base.errors import UserError

ROOT = Path(__file__).resolve().parent.parent

TEST = '''"""The method {name}; tests/methods/test_methods.py also runs the contract tests on it."""

from __future__ import annotations

import torch
from small_methods import batch, build


def test_translates_after_a_step():
    method = build("{name}")
    before = method.translate(batch().source)
    method.step(batch())
    after = method.translate(batch().source)
    assert after.shape == before.shape and not torch.equal(after, before)
'''
CONFIG = """# snakemake --cores 2 --configfile config/{name}.yaml
results: results/{name}
datasets: [coats2stripes]
data_sources:
  coats2stripes: {{size: 48, train: 400, test: 200, seed: 0}}
size: 48
run: [copy, {name}, real]
replace: true  # train again when the method's code or options change; take it out when they stand
"""
TRAINING = "training: {cache_images: true}\n"
METHOD = """summary: one line about {name}
citation: ""
options:
  strength: {{type: float, default: 1.0, ge: 0, le: 1, description: what it does}}
# {{source}} and {{target}} are folders of PNG images; the folder {{model}} is kept for translate.
train: python {{folder}}/main.py train {{source}} {{target}} {{model}} --seed {{seed}}
# It must write NAME.png into {{output}} for every NAME.png of {{input}}.
translate: >-
  python {{folder}}/main.py translate {{input}} {{model}} {{output}}
  --strength {{strength}}
"""
ENVIRONMENT = """# The conda environment of the commands, used under --use-conda.
channels:
  - conda-forge
dependencies:
  - python=3.12
"""
MAIN = '''"""Called by method.yaml; a placeholder for code from elsewhere. It copies the images."""

import shutil
import sys
from pathlib import Path

stage, *places = sys.argv[1:]
if stage == "train":
    source, target, model = map(Path, places[:3])
    (model / "counts.txt").write_text(f"{len(list(source.iterdir()))} source images\\n")
else:
    folder, model, output = map(Path, places[:3])
    for path in sorted(folder.glob("*.png")):
        shutil.copy(path, output / path.name)
'''
TEST_COMMANDS = '''"""The commands of {name}."""

from __future__ import annotations

from cut.plan.plan import make_plan


def test_options_reach_the_command():
    row = {{"methods": {{"{name}": {{"options": {{"strength": 0.5}}}}}}}}
    plan = make_plan({{"datasets": ["coats2stripes"], "run": ["{name}"], **row}})
    places = {{"input": "in", "model": "model", "output": "out"}}
    line = plan.rows["{name}"].commands.command("translate", places)
    assert line.endswith("--strength 0.5")
'''


def example(name: str) -> str:
    """Return the example of `baselines/README.md` as a method called `name`."""
    page = (ROOT / "baselines" / "README.md").read_text()
    text = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    title = "".join(part.capitalize() for part in name.split("_"))
    text = text.split("\n", 1)[1]  # the first line is the file's name
    return text.replace("Colour(", f"{title}(").replace('"colour"', f'"{name}"')


def files(name: str, commands: bool) -> dict[Path, str]:
    """Return the files to write, by their path in the checkout."""
    folder, place = Path("baselines") / name, Path(f"tests/baselines/test_{name}.py")
    written = {
        Path("config") / f"{name}.yaml": CONFIG.format(name=name) + ("" if commands else TRAINING)
    }
    if not commands:
        test = TEST.format(name=name)
        return {folder.with_suffix(".py"): example(name), place: test, **written}
    return {
        folder / "method.yaml": METHOD.format(name=name),
        folder / "environment.yaml": ENVIRONMENT,
        folder / "main.py": MAIN,
        place: TEST_COMMANDS.format(name=name),
        **written,
    }


def create(root: Path, name: str, commands: bool) -> list[Path]:
    """Write a skeleton under `root`; return its files.

    Raises:
        UserError: the name is no lower-case Python name, or a file or folder of that name exists.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UserError(f"{name!r} is no name for a method; use letters a-z, digits and _")
    wanted = {root / path: text for path, text in files(name, commands).items()}
    taken = [root / "baselines" / name, root / "baselines" / f"{name}.py", *wanted]
    for path in taken:
        if path.exists():
            raise UserError(f"{path.relative_to(root)} exists; choose another name or remove it")
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(wanted)


def main(argv: Sequence[str] | None = None) -> int:
    """Write a skeleton into this checkout."""
    parser = argparse.ArgumentParser(
        prog="python -m baselines.new", description="Write the skeleton of a new method."
    )
    parser.add_argument("name", help="the name in configs and tables: letters a-z, digits and _")
    parser.add_argument(
        "--commands", action="store_true", help="a method of shell commands instead of a class"
    )
    args = parser.parse_args(argv)
    for path in create(ROOT, args.name, args.commands):
        print(f"wrote {path.relative_to(ROOT)}")
    print(f"next: snakemake --cores 2 --configfile config/{args.name}.yaml")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as problem:
        sys.exit(f"error: {problem}")
