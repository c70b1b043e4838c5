"""What runs a network's graph; the rest of the package does not know which it is."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from blurmapper.devices import (
    CPU,
    DIRECTML,
    Device,
    check_threads,
    choose_providers,
    report_fallback,
)
from blurmapper.errors import KindsError, WeightsError, check_choice, needing, one_line
from blurmapper.graphs import refuse_external_data

BackendName = Literal["onnxruntime", "openvino"]

Precision = Literal["float32", "bfloat16"]

Floats = npt.NDArray[np.float32]

_WARNING, _FATAL = 2, 4


class Backend(Protocol):
    """Anything that runs a blur-mapping network."""

    def run(self, batch: Floats) -> Floats:
        """Return blur maps (N, 1, H, W) in [0, 1] for normalised photos (N, 3, H, W)."""
        ...

    def run_kinds(self, batch: Floats) -> tuple[Floats, Floats]:
        """Return blur maps, and the probability of motion where blurred, (N, 1, H, W) each.

        Raises
        ------
        WeightsError
            If the network was not trained to tell motion from defocus.
        """
        ...


class _Graph(ABC):
    """A graph that is open in this process, whichever package runs it."""

    def __init__(
        self, path: Path, inputs: list[str], outputs: list[str], reopen: Callable[[Path], Backend]
    ) -> None:
        self._name, self._knows_kinds = path.name, _check_ends(path, inputs, outputs)
        self._reopen = partial(reopen, path.absolute())

    def __reduce__(self) -> tuple[Callable[[], Backend], tuple[()]]:
        """Pickle where the graph is; what runs it holds threads and memory of this process."""
        return self._reopen, ()

    def run(self, batch: Floats) -> Floats:
        """Return blur maps (N, 1, H, W) in [0, 1] for normalised photos (N, 3, H, W)."""
        (blur_maps,) = self._infer_checked(batch, "blur_map")
        return blur_maps

    def run_kinds(self, batch: Floats) -> tuple[Floats, Floats]:
        """Return blur maps, and the probability of motion where blurred, (N, 1, H, W) each."""
        if not self._knows_kinds:
            raise KindsError(f"{self._name}: cannot tell motion from defocus; use dbm-lite")
        blur_maps, motion = self._infer_checked(batch, "blur_map", "motion")
        return blur_maps, motion

    def _infer_checked(self, batch: Floats, *outputs: str) -> Sequence[Floats]:
        """Return the outputs, or say in one line why there are none, or NaN from lost weights."""
        try:
            found = self._infer(batch, *outputs)
        except Exception as error:
            size = " x ".join(map(str, batch.shape))
            raise WeightsError(
                f"{self._name}: cannot be run on {size} numbers ({one_line(error)}); lower the "
                "working side, or free memory"
            ) from error
        if not all(np.isfinite(output).all() for output in found):
            raise WeightsError(
                f"{self._name}: maps photos to NaN; use other weights, or train them anew at a "
                "lower rate"
            )
        return found

    @abstractmethod
    def _infer(self, batch: Floats, *outputs: str) -> Sequence[Floats]:
        """Return the outputs of these names."""


class OnnxBackend(_Graph):
    """Run an ONNX graph with ONNX Runtime; safe to share between threads.

    Parameters
    ----------
    path : Path
        A graph with the input ``image``, float32 (N, 3, H, W), and the output
        ``blur_map``, float32 (N, 1, H, W), for any H and W from 16 up; a second output
        ``motion``, of the same shape, where the network tells the kinds of blur.
    threads : int, optional
        CPU threads of one run; all cores unless given.
    device : Device
        What runs it, if this build of ONNX Runtime can; otherwise the processor does, and a line
        of the log says so.

    Raises
    ------
    WeightsError
        If the file is not such a graph.
    ConfigError
        If `threads` is not from 1 to 1024, or there is no such device.
    """

    def __init__(self, path: Path, *, threads: int | None = None, device: Device = "auto") -> None:
        self._session = open_session(path, threads=threads, device=device)
        is_directml = DIRECTML in self._session.get_providers()
        self._turn = threading.Lock() if is_directml else nullcontext()
        inputs = [node.name for node in self._session.get_inputs()]
        outputs = [node.name for node in self._session.get_outputs()]
        reopen = partial(OnnxBackend, threads=threads, device=device)
        super().__init__(path, inputs, outputs, reopen)

    def _infer(self, batch: Floats, *outputs: str) -> Sequence[Floats]:
        with self._turn:
            found: list[Floats] = self._session.run(outputs, {"image": batch})
        return found


class OpenVinoBackend(_Graph):
    """Run an ONNX graph on the CPU with OpenVINO; safe to share between threads.

    Parameters
    ----------
    path : Path
        A graph as `OnnxBackend` takes it.
    threads : int, optional
        CPU threads of one run; all cores unless given.
    precision : {"float32", "bfloat16"}
        In ``"float32"`` maps are those of ONNX Runtime, but for rounding. ``"bfloat16"`` is for
        processors that compute with it (AVX-512 BF16 or AMX); others fall back to float32.

    Raises
    ------
    MissingExtraError
        If OpenVINO is not installed.
    WeightsError
        If the file is not such a graph.
    ConfigError
        If `threads` is not from 1 to 1024, or there is no such precision.
    """

    def __init__(
        self, path: Path, *, threads: int | None = None, precision: Precision = "float32"
    ) -> None:
        with needing("openvino", "OpenVINO needs"):
            import openvino
        check_threads(threads)
        check_choice("precision", precision, Precision)
        refuse_external_data(path)
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
            "INFERENCE_NUM_THREADS": threads or 0,
        }
        try:
            self._model = openvino.Core().compile_model(str(path), "CPU", settings)
        except RuntimeError as error:
            raise WeightsError(
                f"{path}: OpenVINO cannot load it; reinstall or export it again"
            ) from error
        inputs = [port.any_name for port in self._model.inputs]
        outputs = [port.any_name for port in self._model.outputs]
        self._requests = threading.local()
        reopen = partial(OpenVinoBackend, threads=threads, precision=precision)
        super().__init__(path, inputs, outputs, reopen)

    def _infer(self, batch: Floats, *outputs: str) -> Sequence[Floats]:
        if not hasattr(self._requests, "own"):
            self._requests.own = self._model.create_infer_request()
        found = self._requests.own.infer({"image": batch})
        named = {port.any_name: values for port, values in found.items()}
        return [named[output] for output in outputs]


def open_backend(
    name: BackendName, path: Path, *, threads: int | None = None, device: Device = "auto"
) -> Backend:
    """Return the backend of a name, with the network at `path` loaded.

    The device ``openvino`` is the backend of that name, where that is installed.

    Raises
    ------
    ConfigError
        If no backend or device has that name, or `threads` is not from 1 to 1024.
    MissingExtraError
        If it is not installed.
    WeightsError
        If the file is not a network of ours.
    """
    check_choice("backend", name, BackendName)
    check_choice("device", device, Device)
    is_openvino = name == "openvino" or (device == "openvino" and find_spec("openvino") is not None)
    if is_openvino:
        return OpenVinoBackend(path, threads=threads)
    return OnnxBackend(path, threads=threads, device=device)


def open_session(path: Path, *, threads: int | None = None, device: Device = "cpu") -> Any:
    """Open an ONNX graph in ONNX Runtime; what fails on the accelerator runs on the processor.

    Raises
    ------
    WeightsError
        If the file cannot be loaded.
    ConfigError
        If `threads` is not from 1 to 1024, or there is no such device.
    """
    # Its builds send events to their maker unless told not to before they are loaded.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    check_threads(threads)
    refuse_external_data(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    # Errors still raise; what is silenced are notes on the graph, meant for its maker.
    options.log_severity_level = _FATAL
    # Threads that spin until there is more to do take as much processor time as the work itself,
    # from OpenCV and from what is imported meanwhile.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = choose_providers(device, onnxruntime.get_available_providers())
    # As its maker asks for DirectML.
    options.enable_mem_pattern = DIRECTML not in providers
    try:
        return _open_session(path, options, providers)
    except Exception as error:
        raise WeightsError(
            f"{path}: ONNX Runtime cannot load it; reinstall or export it again"
        ) from error


def _open_session(path: Path, options: Any, providers: list[str]) -> Any:
    """Return ONNX Runtime's session, on the processor where the accelerator fails."""
    from onnxruntime import InferenceSession, set_default_logger_severity

    if providers == [CPU]:
        with ThreadPoolExecutor(1) as thread:
            opening = thread.submit(InferenceSession, str(path), options, providers=providers)
            # What every photo needs is imported meanwhile: opening does not hold Python's lock.
            # Where it is broken, whoever needs it says so: the weights are in order.
            with suppress(ImportError):
                import cv2  # noqa: F401
            return opening.result()
    # What it prints of its own, and its own way to fall back, take several lines.
    set_default_logger_severity(_FATAL)
    try:
        session = InferenceSession(str(path), options, providers=providers, enable_fallback=0)
    except Exception:  # noqa: BLE001 - drivers raise anything
        session = InferenceSession(str(path), options, providers=[CPU])
    finally:
        set_default_logger_severity(_WARNING)
    report_fallback(providers, session.get_providers())
    return session


def _check_ends(path: Path, inputs: list[str], outputs: list[str]) -> bool:
    """Refuse a graph with other inputs and outputs; return whether it knows kinds of blur."""
    if inputs != ["image"] or outputs not in (["blur_map"], ["blur_map", "motion"]):
        raise WeightsError(
            f"{path}: maps {inputs} to {outputs} instead of ['image'] to ['blur_map']; "
            "give a network written by blurmapper export"
        )
    return "motion" in outputs
