"""Convert images to tensors and back."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cut.base.image_form import RGB, Form
from cut.base.images import AnyImage
from cut.base.raster import Raster


def to_tensor(image: AnyImage) -> Tensor:
    """Return a float32 (C, H, W) tensor in [-1, 1], for RGB equal to the published code's.

    The range of an image of another form becomes [-1, 1].
    """
    return normalised(levels_of(image))


def levels_of(image: AnyImage) -> Tensor:
    """Return what a tensor is made of: a uint8 (3, H, W) tensor of the levels 0 to 255.

    Of an image of another form it is the float32 (C, H, W) tensor in [-1, 1] itself.
    """
    if isinstance(image, Raster):
        low, high = image.form.low, image.form.high
        x = torch.from_numpy(image.values).permute(2, 0, 1).contiguous()
        return x.clone().sub_(low).div_(high - low).sub_(0.5).div_(0.5)
    pixels = torch.from_numpy(np.array(image.convert("RGB")))  # (H, W, 3)
    return pixels.permute(2, 0, 1).contiguous()


def normalised(levels: Tensor) -> Tensor:
    """Return levels 0 to 255, of any shape, as float32 in [-1, 1], on the same device.

    A floating-point tensor, of an image of another form, is that already.
    """
    if levels.is_floating_point():
        return levels
    # torchvision's ToTensor, then Normalize(0.5, 0.5): the same operations in the same order.
    return levels.float().div_(255).sub_(0.5).div_(0.5)


def to_image(x: Tensor, form: Form = RGB) -> AnyImage:
    """Return the image of a (C, H, W) tensor in [-1, 1]; values outside are clipped.

    This is the exact inverse of `to_tensor` for whole numbers of up to 16 bits. It rounds to the
    nearest level; the published code truncates, which darkens images by half a level.
    """
    if form != RGB:
        values = x.detach().double().add(1).mul((form.high - form.low) / 2).add(form.low)
        values = values.clamp(form.low, form.high)
        if np.dtype(form.dtype).kind != "f":
            values = values.round()
        return Raster(values.permute(1, 2, 0).float().contiguous().cpu().numpy(), form)
    levels = x.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return Image.fromarray(levels.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy())
