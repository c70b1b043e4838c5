"""What runs a network's graph; the rest of the package does not know which it is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from blurmapper.errors import ConfigError, WeightsError


class Backend(Protocol):
    """Anything that runs a blur-mapping network."""

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return blur maps (N, 1, H, W) in [0, 1] for normalised photos (N, 3, H, W)."""
        ...

    def run_kinds(
        self, batch: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return blur maps, and the probability of motion where blurred, (N, 1, H, W) each.

        Raises
        ------
        WeightsError
            If the network was not trained to tell motion from defocus.
        """
        ...


class OnnxBackend:
    """Run an ONNX graph on the CPU with ONNX Runtime; safe to share between threads.

    Parameters
    ----------
    path : Path
        A graph with the input ``image``, float32 (N, 3, H, W), and the output
        ``blur_map``, float32 (N, 1, H, W), for any H and W from 16 up; a second output
        ``motion``, of the same shape, where the network tells the kinds of blur.
    threads : int, optional
        CPU threads of one run; all cores unless given.

    Raises
    ------
    WeightsError
        If the file is not such a graph.
    ConfigError
        If `threads` is below 1.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        import onnxruntime

        if threads is not None and threads < 1:
            raise ConfigError(f"threads is {threads}; use 1 or more, or leave it out for all cores")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads or 0
        # Errors still raise; what is silenced are notes on the graph, meant for its maker.
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise WeightsError(
                f"{path}: ONNX Runtime cannot load it; reinstall or export it again"
            ) from error
        inputs = [node.name for node in self._session.get_inputs()]
        outputs = [node.name for node in self._session.get_outputs()]
        if inputs != ["image"] or outputs not in (["blur_map"], ["blur_map", "motion"]):
            raise WeightsError(
                f"{path}: maps {inputs} to {outputs} instead of ['image'] to ['blur_map']; "
                "give a network written by blurmapper export"
            )
        self._name, self._knows_kinds = path.name, "motion" in outputs

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return blur maps (N, 1, H, W) in [0, 1] for normalised photos (N, 3, H, W)."""
        blur_maps: npt.NDArray[np.float32] = self._session.run(["blur_map"], {"image": batch})[0]
        return blur_maps

    def run_kinds(
        self, batch: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return blur maps, and the probability of motion where blurred, (N, 1, H, W) each."""
        if not self._knows_kinds:
            raise WeightsError(f"{self._name}: cannot tell motion from defocus; use dbm-lite")
        blur_maps, motion = self._session.run(["blur_map", "motion"], {"image": batch})
        return blur_maps, motion
