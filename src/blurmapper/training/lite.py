"""Our small network: EfficientNet-Lite0 fused down to stride 4 with wide context.

The encoder is Google's EfficientNet-Lite0 (Tan and Le, ICML 2019, arXiv:1905.11946; the Lite
variant has ReLU6 and no squeeze-and-excitation) with its batch norms folded into the
convolutions, so that ImageNet's statistics are kept rather than those of batches of eight pairs.
The decoder is a feature pyramid (Lin et al., CVPR 2017, arXiv:1612.03144) whose top looks at the
whole photo: whether a smooth region is blurred is decided by what it is part of.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STEM_CHANNELS = 32
STAGES = (
    # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
TAPS = {1: 4, 2: 8, 4: 16, 6: 32}
"""Stage whose output is handed to the decoder -> its stride."""

BATCH_NORM_EPSILON = 1e-3


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow pads even sizes: a stride of 2 pads after, not before."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups)
        before = (kernel - stride) // 2 if stride > 1 else kernel // 2
        after = kernel - stride - before if stride > 1 else kernel // 2
        self.margins = (before, after, before, after)
        if before == after:
            self.padding = (before, before)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, C, H, W); H and W shrink by the stride."""
        if self.margins[0] != self.margins[1]:
            features = functional.pad(features, self.margins)
        return super().forward(features)


class Depthwise(SameConv):
    """A convolution of each channel by itself, in float32 where it is trained on a CPU.

    oneDNN's bfloat16 gradient of a depthwise kernel takes up to ten times as long as its float32
    one (torch 2.13: 109 against 10 ms for 8 x 144 x 67 x 67 by 5 x 5), and was four fifths of a
    training step.
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(channels, channels, kernel, stride, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, C, H, W) and answer in the dtype that came in."""
        if not torch.is_autocast_enabled("cpu") or features.device.type != "cpu":
            return super().forward(features)
        with torch.autocast("cpu", enabled=False):
            return super().forward(features.float()).to(features.dtype)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; add the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = SameConv(inputs, hidden, 1, 1, 1) if expansion > 1 else None
        self.depthwise = Depthwise(hidden, kernel, stride)
        self.project = SameConv(hidden, outputs, 1, 1, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H / stride, W / stride)."""
        hidden = features
        if self.expand is not None:
            hidden = functional.relu6(self.expand(hidden))
        projected: Tensor = self.project(functional.relu6(self.depthwise(hidden)))
        return features + projected if self.residual else projected


class EfficientNetLite0(nn.Module):
    """The encoder: image -> features at strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, STEM_CHANNELS, 3, 2, 1)
        self.stages = nn.ModuleList()
        inputs = STEM_CHANNELS
        for repeats, kernel, stride, expansion, outputs in STAGES:
            blocks = []
            for index in range(repeats):
                step = stride if index == 0 else 1
                blocks.append(InvertedResidual(inputs, outputs, kernel, step, expansion))
                inputs = outputs
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the features of the tapped stages, finest first."""
        features = functional.relu6(self.stem(image))
        taps = []
        for index, stage in enumerate(self.stages):
            features = stage(features)
            if index in TAPS:
                taps.append(features)
        return taps

    def load_imagenet(self, tensors: dict[str, Tensor]) -> None:
        """Copy the published weights, each batch norm folded into its convolution."""

        def fold(conv: nn.Conv2d, weight: str, norm: str) -> None:
            gain = tensors[f"{norm}.weight"].float()
            gain = gain / (tensors[f"{norm}.running_var"].float() + BATCH_NORM_EPSILON).sqrt()
            shift = tensors[f"{norm}.bias"].float() - tensors[f"{norm}.running_mean"] * gain
            assert conv.bias is not None
            with torch.no_grad():
                conv.weight.copy_(tensors[weight].float() * gain[:, None, None, None])
                conv.bias.copy_(shift)

        fold(self.stem, "_conv_stem.weight", "_bn0")
        blocks = [block for block in self.modules() if isinstance(block, InvertedResidual)]
        for index, block in enumerate(blocks):
            name = f"_blocks.{index}"
            if block.expand is not None:
                fold(block.expand, f"{name}._expand_conv.weight", f"{name}._bn0")
            fold(block.depthwise, f"{name}._depthwise_conv.weight", f"{name}._bn1")
            fold(block.project, f"{name}._project_conv.weight", f"{name}._bn2")


def _normed(inputs: int, outputs: int) -> nn.Sequential:
    """Return a pointwise convolution and a norm: taps of the encoder differ widely in scale."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class Mixer(nn.Module):
    """A depthwise and a pointwise convolution beside the identity."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = Depthwise(channels, kernel)
        self.pointwise = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape (N, C, H, W)."""
        mixed: Tensor = self.pointwise(self.depthwise(features))
        return features + functional.relu(mixed)


class Context(nn.Module):
    """What the whole photo says: wide kernels at stride 32 and the photo's mean."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.reduce = _normed(inputs, channels)
        self.near = Mixer(channels, 7)
        self.everywhere = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1)
        )
        self.far = Mixer(channels, 7)

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, channels, H, W)."""
        features = self.near(functional.relu(self.reduce(features)))
        mean = features.mean(dim=(2, 3), keepdim=True)
        seen: Tensor = self.far(features + self.everywhere(mean))
        return seen


class BlurMapperLite(nn.Module):
    """Image -> logits of being blurred and of the blur being motion, at the image's own size.

    Input (N, 3, H, W), RGB as (x - 127) / 128; output (N, 2, H, W) logits: of being blurred, and,
    where it is, of motion (positive) rather than defocus (negative) being the cause.
    Any size: the image is continued by its edge to a multiple of 32 and the answer cut back.
    """

    def __init__(self, width: int = 64, context: int = 128) -> None:
        super().__init__()
        self.encoder = EfficientNetLite0()
        channels = [STAGES[stage][-1] for stage in TAPS]
        self.context = Context(channels[-1], context)
        self.narrow = nn.Conv2d(context, width, 1)
        self.laterals = nn.ModuleList(_normed(inputs, width) for inputs in channels[:-1])
        self.mixers = nn.ModuleList(
            nn.Sequential(Mixer(width, 5), Mixer(width, 3)) for _ in channels[:-1]
        )
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, 2, H, W)."""
        height, width = image.shape[2:]
        image = functional.pad(image, (0, -width % 32, 0, -height % 32), mode="replicate")
        *taps, top = self.encoder(image)
        features = self.narrow(self.context(top))
        for lateral, mixer, tap in zip(
            reversed(self.laterals), reversed(self.mixers), reversed(taps), strict=True
        ):
            features = functional.interpolate(features, scale_factor=2.0, mode="bilinear")
            features = mixer(features + lateral(tap))
        logits = functional.interpolate(self.head(features), scale_factor=4.0, mode="bilinear")
        return logits[..., :height, :width]
