"""The training loop: pairs in, checkpoints out, resumable to the exact step."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

from blurmapper.errors import BlurMapperError, ConfigError
from blurmapper.files import refuse_link
from blurmapper.preprocessing import Preprocessing
from blurmapper.training.config import TrainingConfig
from blurmapper.training.data import PairDataset, open_source
from blurmapper.training.inference import runs_in_half, score_held_out
from blurmapper.training.losses import loss_of
from blurmapper.training.networks import build_network, get_architecture, set_weights
from blurmapper.training.progress import LOG, Progress
from blurmapper.training.storage import CHECKPOINT, read_checkpoint, write_checkpoint


class TrainingRun:
    """A network with its optimiser, average and place in the schedule."""

    def __init__(self, config: TrainingConfig, rank: int = 0, processes: int = 1) -> None:
        self.config, self.rank, self.processes = config, rank, processes
        self.path = config.output / CHECKPOINT
        self.device = torch.device(f"cuda:{rank}" if torch.cuda.is_available() else "cpu")
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self._take(build_network(config.architecture, config.initialise), config)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.preprocessing = replace(
            get_architecture(config.architecture).preprocessing, working_side=config.working_side
        )
        self.step = 0

    def _take(self, network: nn.Module, config: TrainingConfig) -> None:
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = build_optimiser(self.network, config)

    def train(self) -> None:
        """Run the steps that are left, saving and scoring as the config says."""
        config = self.config
        for name in (CHECKPOINT, LOG):
            refuse_link(config.output / name, config.output)
        config.output.mkdir(parents=True, exist_ok=True)
        model: nn.Module = self.network
        if self.processes > 1:
            model = DistributedDataParallel(self.network)
        with Progress(config, self.step, quiet=self.rank > 0) as progress:
            for images, labels in self._batches():
                loss = self._advance(model, images, labels)
                progress.advance(loss, rate_at(self.step - 1, config))
                if self.rank > 0:
                    continue
                last = self.step == config.iterations
                # Of a data set no photo is held out for scores.
                if config.has_library and (last or self.step % config.score_every == 0):
                    progress.report(self.step, self.score())
                if last or self.step % config.checkpoint_every == 0:
                    self.save()

    def _advance(self, model: nn.Module, images: Tensor, labels: Tensor) -> float:
        """Take one step of the optimiser and return the loss."""
        model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.step, self.config) * group["factor"]
        inputs = to_input(images.to(self.device, non_blocking=True), self.preprocessing)
        labels = labels.to(self.device, non_blocking=True)
        half = runs_in_half(self.config.precision, self.device)
        try:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
                logits = model(inputs)
        except ValueError as error:
            # A norm has one number a channel, whose spread is none.
            if "more than 1 value per channel" not in str(error):
                raise
            small = f"side={self.config.side} with batch={self.config.batch} is too little"
            raise ConfigError(f"{self.path}: {small} for the network's norms; give more") from error
        loss = self.loss(logits.float(), labels)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.step += 1
        self._update_average()
        reached = float(loss.detach())
        if not math.isfinite(reached):
            # Before the last checkpoint that has numbers is written over.
            raise ConfigError(
                f"{self.path}: the loss of step {self.step} is {reached}; train at a lower rate"
            )
        return reached

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return what a batch's step makes smaller."""
        outputs = get_architecture(self.config.architecture).outputs
        return loss_of(logits, labels, outputs, self.config.loss)

    def dataset(self, count: int) -> Dataset[tuple[Tensor, Tensor]]:
        """Return the first pairs, images and labels, of what the config trains on."""
        return PairDataset(open_source(self.config), count)

    def _update_average(self) -> None:
        """Move the running average; early on it forgets faster, or the start would linger."""
        decay = min(self.config.average, self.step / (self.step + 10))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1.0 - decay)

    def score(self) -> dict[str, float]:
        """Return scores of the averaged weights on the photos held out of training."""
        network = get_architecture(self.config.architecture).build().to(self.device)
        set_weights(network, self.average)
        try:
            return score_held_out(network, self.preprocessing, self.config.photos)
        except FloatingPointError as error:
            raise ConfigError(
                f"{self.path}: maps are no numbers after step {self.step}; train at a lower rate"
            ) from error

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches that are left; a pair depends on its number alone."""
        config = self.config
        starts = [
            (step * self.processes + self.rank) * config.batch
            for step in range(self.step, config.iterations)
        ]
        batches = [list(range(start, start + config.batch)) for start in starts]
        try:
            yield from DataLoader(
                self.dataset(config.iterations * config.batch * self.processes),
                batch_sampler=batches,
                num_workers=config.workers,
                worker_init_fn=_start_worker,
                prefetch_factor=4 if config.workers else None,
                pin_memory=self.device.type == "cuda",
            )
        except BlurMapperError as error:
            # Of what a worker raises torch makes the text of its traceback; our line is its last.
            kind = type(error)
            line = str(error.args[0]).rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2]
            raise kind(line.strip()) from error

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state = {
            "config": self.config.to_dict(),
            "step": self.step,
            "processes": self.processes,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "versions": {"torch": str(torch.__version__)},
            "saved": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        write_checkpoint(state, self.path)

    def load(self, alike: Collection[str] = ()) -> None:
        """Go back to where the checkpoint was written; `alike` as `check_resumes` takes it."""
        state = read_checkpoint(self.path)
        if state["config"].get("architecture") != self.config.architecture:
            raise ConfigError(f"{self.path}: of another architecture; give another output")
        if "network" not in state:
            raise ConfigError(
                f"{self.path}: of a finished run, of which only the average is kept; give another "
                f"output, and initialise={self.path}"
            )
        # Which pairs a step has seen depends on how many there were.
        processes = state.get("processes", self.processes)
        if processes != self.processes:
            raise ConfigError(
                f"{self.path}: begun by {processes} processes; give torchrun --nproc-per-node "
                f"{processes}"
            )
        # With norms folded in or not as where the run began, whatever this config starts from.
        begun = TrainingConfig.from_dict(state["config"], str(self.path))
        self.config.check_resumes(begun, self.path, state["step"], alike)
        self.config = replace(self.config, initialise=begun.initialise)
        network = get_architecture(self.config.architecture).build()
        set_weights(network, state["network"])
        self._take(network, self.config)
        self.average = {name: value.to(self.device) for name, value in state["average"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])


FUSION_FACTOR = 100.0
"""How much faster than kernels the weights of fused sides learn with Adam, which moves any number
by about the rate a step: at the kernels' rate a few hundred steps would hardly move them."""


def build_optimiser(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return the optimiser; each parameter learns at the rates' factors for what it is.

    Kernels are decayed; biases and norms are not.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        factor = config.encoder_factor if name.startswith("encoder.") else 1.0
        if name == "fusion" and config.optimiser == "adamw":
            factor *= FUSION_FACTOR
        decayed = parameter.ndim > 1
        if not decayed:
            factor *= config.bias_factor
        decay = config.weight_decay if decayed else 0.0
        groups.setdefault((factor, decay), []).append(parameter)
    listed: list[dict[str, Any]] = [
        {"params": parameters, "factor": factor, "weight_decay": decay}
        for (factor, decay), parameters in groups.items()
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(listed, lr=config.rate, momentum=config.momentum)
    return torch.optim.AdamW(listed, lr=config.rate)


def rate_at(step: int, config: TrainingConfig) -> float:
    """Return the learning rate of a step, counted from 0."""
    done = step / config.iterations
    if config.decay == "cosine":
        rate = config.rate * 0.5 * (1.0 + math.cos(math.pi * done))
    else:
        rate = config.rate * (1.0 - done) ** config.power
    return rate * min(1.0, (step + 1) / config.warmup) if config.warmup else rate


def to_input(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return a network's input for uint8 RGB images (N, 3, H, W), as `Preprocessing` makes it."""
    pixels = images.float()
    if preprocessing.channel_order == "bgr":
        pixels = pixels.flip(1)
    mean = torch.tensor(preprocessing.mean, device=images.device).view(1, 3, 1, 1)
    scale = torch.tensor(preprocessing.scale, device=images.device).view(1, 3, 1, 1)
    return ((pixels - mean) * scale).contiguous(memory_format=torch.channels_last)


def _start_worker(_: int) -> None:
    """One thread a worker: the cores belong to the network."""
    import cv2

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
