"""The registry of data sets, and the changes of a config to it."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cut.base.errors import UserError, explain, unknown
from cut.base.files import read_text, user_path
from cut.base.image_files import is_plain
from cut.base.image_form import Channels, Mapping
from cut.base.image_size import Size
from cut.records.names import NAME

DATA = Path(__file__).resolve().parents[1] / "resources"
FOLDERS = ("trainA", "trainB", "testA", "testB")
OF_THE_SOURCE = ("sha256", "archive_bytes", "mirrors")  # keys that another source does without
PATHS = ("source", "digests", "gtFine", "leftImg8bit")
# Bounds of what a config may ask for: far above any use, far below what would never end.
MOST_IMAGES = 100_000_000
MOST_DRAWN = 100_000  # images that are generated
MOST_BYTES = 10**13

Folder = Literal["trainA", "trainB", "testA", "testB"]
Letter = Literal["A", "B"]
Bits = Annotated[int, Field(ge=8, le=16)]
BITS_BY_LETTER = "dict[literal['A','B'],constrained-int]"  # pydantic's name of the type
# Far above what the values of images are.
Bound = Annotated[float, Field(ge=-1e30, le=1e30)]
Range = tuple[Bound, Bound]
# Keys about the form of images.
OF_FORM = ("channels", "range", "rgb")


def _per_domain(value: Any) -> Any:
    """Return a value of each domain, by its letter, of one for both."""
    return value if isinstance(value, dict | None) else {"A": value, "B": value}


Value = TypeVar("Value")
PerDomain = Annotated[dict[Letter, Value], BeforeValidator(_per_domain)]


class Options(BaseModel):
    """The options of a generated data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=16, le=2048, description="height and width in pixels")
    train: int = Field(ge=1, le=MOST_DRAWN, description="training images of each domain")
    test: int = Field(ge=2, le=MOST_DRAWN, description="test images of each domain")
    seed: int = Field(ge=0, lt=2**63, description="of all random draws")


class Conversion(BaseModel):
    """How `cut.data.cityscapes` converts the two archives that the user provides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gtFine: str | None = Field(None, description="archive or folder of label maps")
    leftImg8bit: str | None = Field(None, description="archive or folder of photographs")
    size: Size = Field(256, description="pixels, or HEIGHTxWIDTH, of the images made")
    filter: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"] = Field(
        "bicubic", description="Pillow's resampling filter"
    )
    quality: int = Field(100, ge=1, le=100, description="JPEG quality; chroma is never subsampled")


class Entry(BaseModel):
    """One data set: its source and its checks. See `cut/resources/registry.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    domains: tuple[str, str] = ("A", "B")
    direction: Literal["AtoB", "BtoA"] = "AtoB"
    description: str = ""
    licence: str = "not stated"
    citation: str = ""
    source: str | None = None
    mirrors: tuple[str, ...] = Field((), description="further addresses of the same images")
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    archive_bytes: int | None = Field(None, ge=1, le=MOST_BYTES)
    folders: dict[Folder, str] = {}
    joint: Literal["AB", "BA"] | None = Field(
        None, description="each file holds two images side by side: AB has A on the left"
    )
    paired: bool = Field(False, description="test images of one name are true counterparts")
    channels: PerDomain[Channels] | None = Field(
        None,
        description="number of channels, for both domains or as {A: 1, B: 3}: images are then read"
        " at the depth of their files",
    )
    bits: Bits | dict[Letter, Bits] | None = Field(None, description="bits that 16-bit files use")
    range: PerDomain[Range] | None = Field(
        None, description="[low, high]: the values that become the lowest and the highest"
    )
    rgb: PerDomain[Mapping] | None = Field(
        None,
        description="the channels, counted from 1, that are taken for red, green and blue where"
        " three channels of 8 bits are needed",
    )
    digests: str | None = None
    counts: dict[Folder, Annotated[int, Field(ge=1, le=MOST_IMAGES)]] = {}
    counts_source: str = ""
    # The largest archive of the registry, maps, unpacks to less than 4 GB; an image to 100 MB.
    max_bytes: int = Field(4_000_000_000, ge=1, le=MOST_BYTES)
    max_file_bytes: int = Field(100_000_000, ge=1, le=MOST_BYTES)
    max_files: int = Field(200_000, ge=1, le=MOST_IMAGES)
    generator: str | None = None
    options: Options | None = None
    conversion: Conversion | None = None
    given: tuple[str, ...] = Field((), exclude=True, description="keys that a config gives")

    @model_validator(mode="after")
    def _form(self) -> Entry:
        """Refuse keys about the form of images that do not fit together."""
        if self.channels is None:
            needing = [key for key in ("range", "rgb") if getattr(self, key) is not None]
            if needing or isinstance(self.bits, dict):
                raise ValueError(f"{(needing or ['bits'])[0]} needs channels; give channels too")
            return self
        if self.joint:
            raise ValueError("joint images are 8-bit RGB; give folders of single images")
        for letter in "AB":
            declared = self.declared(letter)
            if None not in (declared["bits"], declared["range"]):
                raise ValueError(f"domain {letter} has bits and range; give one of them")
            if declared["range"] and not declared["range"][0] < declared["range"][1]:
                raise ValueError(f"range is {list(declared['range'])}; give [low, high]")
            if declared["rgb"] and max(declared["rgb"]) > declared["channels"]:
                raise ValueError(
                    f"rgb is {list(declared['rgb'])}, and domain {letter} has"
                    f" {declared['channels']} channels, counted from 1"
                )
        return self

    def declared(self, letter: str) -> dict[str, Any]:
        """Return channels, bits, range and rgb of a domain, "A" or "B"; None where not given."""
        found = {key: getattr(self, key) for key in (*OF_FORM, "bits")}
        found = {k: v.get(letter) if isinstance(v, dict) else v for k, v in found.items()}
        return {**found, "channels": found["channels"] or 3}

    def channels_of(self, letter: str) -> int:
        """Return the number of channels of the images of a domain, "A" or "B"."""
        return self.declared(letter)["channels"]

    @property
    def scaled(self) -> bool:
        """Return whether 16-bit files use fewer bits, so that their values have to be scaled."""
        return self.channels is None and self.bits is not None and self.bits < 16

    @property
    def limits(self) -> dict[str, int]:
        """Return the bounds of unpacking, as `cut.data.archives.extract` takes them."""
        return {key: getattr(self, key) for key in ("max_bytes", "max_files", "max_file_bytes")}

    @property
    def is_url(self) -> bool:
        """Return whether the source has to be downloaded."""
        return bool(self.source and re.match("https?://", self.source, re.IGNORECASE))

    @property
    def by_file(self) -> bool:
        """Return whether the source is the address of a folder, whose files are fetched singly."""
        return self.is_url and self.source.endswith("/")

    @property
    def task(self) -> tuple[str, str]:
        """Return the words for (source, target)."""
        a, b = self.domains
        return (a, b) if self.direction == "AtoB" else (b, a)

    @property
    def letters(self) -> tuple[str, str]:
        """Return the folder letters of (source, target)."""
        return ("A", "B") if self.direction == "AtoB" else ("B", "A")

    def expected_counts(self) -> dict[str, int]:
        """Return the number of images that each folder must have, if that is known."""
        if self.options is None:
            return dict(self.counts)
        return {f: self.options.train if "train" in f else self.options.test for f in FOLDERS}

    def expected_digests(self) -> dict[str, str] | None:
        """Return {"trainA/NAME": sha256} of every image, or None if there is no list.

        Raises:
            UserError: the list of digests is missing, or is not output of `sha256sum`.
        """
        if self.digests is None:
            return None
        path = DATA / self.digests if (DATA / self.digests).is_file() else user_path(self.digests)
        if not path.is_file():
            raise UserError(f"there is no list of digests {path} for data set {self.name}")
        found = {}
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            match = re.fullmatch(r"([0-9a-f]{64})  (?:[^/]+/)?([^/]+/[^/]+)", line)
            if match is None:
                raise UserError(f"{path} line {number} is not 'SHA256  FOLDER/FILE': {line[:80]!r}")
            found[match[2]] = match[1]
        return found


@functools.cache
def registry() -> dict[str, dict[str, Any]]:
    """Return the entries of `cut/resources/registry.yaml`, unchanged."""
    return yaml.safe_load((DATA / "registry.yaml").read_text())


def resolve(name: str, overrides: str | dict[str, Any] | None = None) -> Entry:
    """Return a data set's entry with the changes of a config. No image is read.

    `overrides` is a source (URL, archive, folder), or a dictionary with fields of the entry and,
    for a generated or converted set, its options. With another source, the digest of the registry's
    archive and the mirrors do not apply. A name outside the registry is a set of the user's own and
    needs a source.

    Raises:
        UserError: an unknown name or key, or a value of the wrong type.
    """
    where = f"data set {name!r}"
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UserError(
            f"{where}: a name starts with a letter or digit, then has those and . _ -, at most 80"
        )
    if isinstance(overrides, str):
        overrides = {"source": overrides}
    if not isinstance(overrides, dict | None):
        raise UserError(f"{where}: expected a source or a mapping, not {overrides!r}")
    fields = {"name": name, **registry().get(name, {})}
    part, nested, allowed = _keys(fields)
    options = dict(fields.get(part, {}))
    if "source" in (overrides or {}):
        fields = {k: v for k, v in fields.items() if k not in OF_THE_SOURCE}
    for key, value in (overrides or {}).items():
        if key not in allowed:
            raise UserError(f"{where}: {unknown('key', str(key), sorted(allowed))}")
        if key in PATHS and isinstance(value, str) and not is_plain(value):
            raise UserError(f"{where}: {key} is {value!r}, no path in UTF-8; rename its folders")
        (options if key in nested else fields)[key] = value
    fields["given"] = tuple(overrides or ())
    if options:
        fields[part] = options
    if name not in registry() and fields.get("source") is None:
        sentence = unknown("data set", name, list(registry()))
        joint = " Or" if sentence.endswith("?") else "; or"
        raise UserError(f"{sentence}{joint} give your own set's folder or archive as its source")
    return _validated(where, fields)


def _keys(fields: dict[str, Any]) -> tuple[str, set[str], set[str]]:
    """Return (the field of the options, their names, all names that a config may change)."""
    if "options" in fields:
        nested = set(fields["options"])
        return "options", nested, {"direction", "domains", "description", *nested}
    fixed = {
        "name",
        "generator",
        "mirrors",
        "options",
        "conversion",
        "archive_bytes",
        "counts_source",
        "given",
    }
    free = set(Entry.model_fields) - fixed
    if "conversion" in fields:
        nested = set(Conversion.model_fields)
        fixed = {"folders", "sha256", "bits", "joint", *OF_FORM}
        return "conversion", nested, free - fixed | nested
    return "options", set(), free


def _validated(where: str, fields: dict[str, Any]) -> Entry:
    """Return the entry.

    Raises:
        UserError: the first value that is wrong.
    """
    try:
        return Entry.model_validate(fields)
    except ValidationError as error:
        # A config gives the first two's keys beside the others; the rest are types of `bits`.
        hidden = ("options", "conversion", "constrained-int", BITS_BY_LETTER)
        raise UserError(explain(error, Entry, "key", where, hidden)) from None
