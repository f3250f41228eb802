"""Check the folders of a data set, file by file, before anything is trained on them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_files import OF_FRAMES, frames, image_names, split_files
from cut.base.image_form import RGB, Form
from cut.base.images import read_image
from cut.base.parallel import in_threads
from cut.data import bits
from cut.data.forms import Forms, check_image, form_in, forms_of
from cut.data.registry import FOLDERS, Entry

LAYOUT = " ".join(FOLDERS)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _roots(folder: Path) -> list[Path]:
    """Return the folders that may hold trainA and so on: `folder`, or the only one inside it."""
    inside = _folders(folder)
    return [folder, *(inside if len(inside) == 1 else [])]


def is_laid_out(folder: Path, how: Callable[[Iterable[bool]], bool] = all) -> bool:
    """Return whether `folder` has all (with `any`: any) of trainA, trainB, testA and testB."""
    return any(how((root / name).is_dir() for name in FOLDERS) for root in _roots(folder))


def find_root(folder: Path) -> Path:
    """Return the folder that holds trainA, trainB, testA and testB: `folder` or its sub-folder.

    Raises:
        UserError: neither holds any of the four.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; expected one with {LAYOUT}")
    for root in _roots(folder):
        if any((root / name).is_dir() for name in FOLDERS):
            return root
    found = ", ".join(p.name for p in _folders(folder)[:5]) or "no folder"
    raise UserError(f"{folder} is no data set: it holds {found}, expected {LAYOUT}")


def extras(entry: Entry) -> tuple[str, str, str]:
    """Return the names of the optional folders for the test sources.

    They hold true counterparts, masks and label maps.
    """
    source, target = entry.letters
    return f"truth{target}", f"mask{source}", f"labels{source}"


def listing(root: Path, entry: Entry) -> dict[str, list[Path]]:
    """Return the images of each folder of the data set, with the errors of `listed_names`."""
    names = listed_names(root, entry)
    return {folder: [root / folder / name for name in names[folder]] for folder in names}


def listed_names(root: Path, entry: Entry) -> dict[str, list[str]]:
    """Return the names of the images in each folder of the data set. No image is opened.

    Raises:
        UserError: a folder is missing, empty or nested.
    """
    for folder in FOLDERS:
        if not (root / folder).is_dir():
            raise UserError(f"there is no folder {root / folder}; a data set has {LAYOUT}")
    optional = [name for name in extras(entry) if (root / name).is_dir()]
    return {folder: image_names(root / folder) for folder in (*FOLDERS, *optional)}


def verify(root: Path, entry: Entry) -> tuple[dict[str, str], Forms]:
    """Check every image of the data set at `root`.

    An image with the registry's digest is good. Any other image is decoded to its end.

    Returns:
        {"trainA/NAME": sha256}, sorted, and the forms of the domains that are not 8-bit RGB.

    Raises:
        UserError: one sentence about the first thing that is wrong, with the file's name.
    """
    images = listing(root, entry)
    digests = entry.expected_digests()
    if digests is not None:
        _check_names(root, images, digests)
    _check_counts(root, images, entry)
    for folder in images:
        _check_stems(images[folder])
    for extra in extras(entry):
        if extra in images:
            _check_pairs(root, images[f"test{entry.letters[0]}"], images[extra])

    forms = forms_of(entry, images)

    def check(path: Path) -> tuple[str, str, int | None]:
        name = f"{path.parent.name}/{path.name}"
        digest, expected = sha256_of(path), (digests or {}).get(name)
        if digest == expected:
            return name, digest, None
        form = form_in(path.parent.name, forms)
        if form == RGB:
            read_image(path)
        else:
            check_image(path, form, entry)
        if expected is not None:
            raise UserError(
                f"{path} is not the image of {entry.name}: its sha256 is {digest[:12]}…,"
                f" expected {expected[:12]}…; fetch it again"
            )
        return name, digest, bits.largest_value(path) if form == RGB else None

    paths = [path for folder in images.values() for path in folder]
    checked = in_threads(check, paths, f"verify {entry.name}")
    colours = (*FOLDERS, extras(entry)[0])
    largest = {name: most for name, _, most in checked if name.split("/")[0] in colours}
    bits.check_range(root, entry, largest)
    return dict(sorted((name, digest) for name, digest, _ in checked)), forms


def left_out(root: Path, entry: Entry, forms: Mapping[str, Form]) -> tuple[list[Path], list[Path]]:
    """Return what is not used in the folders of a verified data set.

    Returns:
        The files that are no images, hidden ones excepted; and the images with several frames or
        pages, of which the first is used.
    """
    folders = [root / name for name in (*FOLDERS, *extras(entry))]
    parts = [split_files(folder) for folder in folders if folder.is_dir()]
    several = [
        image
        for images, _ in parts
        for image in images
        if image.suffix.lower() in OF_FRAMES
        and form_in(image.parent.name, forms) == RGB
        and frames(image) > 1
    ]
    return [other for _, others in parts for other in others], several


def _check_names(root: Path, images: dict[str, list[Path]], digests: dict[str, str]) -> None:
    """Refuse folders that do not have exactly the images of the list."""
    have = {f"{folder}/{path.name}" for folder in FOLDERS for path in images[folder]}
    if missing := sorted(set(digests) - have):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(f"{root / missing[0]} is missing{more}; fetch the data set again")
    if extra := sorted(have - set(digests)):
        more = f" and {len(extra) - 1} more" if len(extra) > 1 else ""
        raise UserError(f"{root / extra[0]} is not part of the data set{more}; remove it")


def _check_counts(root: Path, images: dict[str, list[Path]], entry: Entry) -> None:
    """Refuse folders with another number of images than expected."""
    for folder, expected in entry.expected_counts().items():
        if (found := len(images[folder])) != expected:
            raise UserError(f"{root / folder} has {found} images, expected {expected}")
    target = f"test{entry.letters[1]}"
    single = len(images["trainA"]) == len(images["trainB"]) == 1
    if len(images[target]) < 2 and not single:
        raise UserError(
            f"{root / target} has 1 image; scores need 2 or more of the target, except for a pair"
            " of single images"
        )


def _check_stems(paths: list[Path]) -> None:
    """Refuse two images of one folder whose names differ in the extension only."""
    seen: dict[str, Path] = {}
    for path in paths:
        if path.stem in seen:
            raise UserError(
                f"{path} and {seen[path.stem].name} differ in the extension only; outputs are named"
                " without it, so rename one of them"
            )
        seen[path.stem] = path


def _check_pairs(root: Path, sources: list[Path], partners: list[Path]) -> None:
    """Refuse partners (truth, mask, labels) that do not match the test sources one to one."""
    folder = partners[0].parent
    have, wanted = {p.stem: p for p in partners}, {p.stem: p for p in sources}
    for stem in sorted(set(wanted) - set(have)):
        raise UserError(f"{wanted[stem]} has no counterpart in {folder}; expected one named {stem}")
    for stem in sorted(set(have) - set(wanted)):
        raise UserError(f"{have[stem]} has no image of its name in {sources[0].parent}")


def content_digest(images: dict[str, str], direction: str, forms: Mapping[str, Form]) -> str:
    """Return the sha256 over the sorted "FOLDER/NAME sha256" lines of a data set.

    BtoA is another task on the same files, so it adds a line, and so does each domain of another
    form than 8-bit RGB.
    """
    lines = [f"{name} {digest}" for name, digest in sorted(images.items())]
    head = ["direction BtoA"] if direction == "BtoA" else []
    head += [f"form {letter} {form.decides()}" for letter, form in sorted(forms.items())]
    return hashlib.sha256("".join(f"{line}\n" for line in head + lines).encode()).hexdigest()
