"""A photo in, a blur map of the photo's own size out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from blurmapper.amounts import BlurAmounts, measure_amounts
from blurmapper.backends import Backend, BackendName, open_backend
from blurmapper.decoding import MIN_SIDE, check_image, is_one_photo, unshared
from blurmapper.devices import Device
from blurmapper.errors import WeightsError, check_number
from blurmapper.images import BlurMap, ImageArray, ImageSource, read_image
from blurmapper.kinds import BlurKinds
from blurmapper.preprocessing import Preprocessing
from blurmapper.refinement import enlarge_map, refine_map
from blurmapper.strips import MOST_ASPECT, in_batches, map_in_pieces, reduce_image, take_maps
from blurmapper.weights import BUNDLED, WeightsCard, find_weights


class BlurMapper:
    """Map the blur of photos with a trained network; one mapper serves many threads.

    It can be pickled and copied, and so be given to other processes: what arrives there is the
    options, and opens the same weights again.

    Parameters
    ----------
    weights : str or Path
        Bundled weights by name (`blurmapper.weights.bundled_names`), a path to an .onnx file
        that has its .json card beside it, or a folder that `save_pretrained` wrote.
    refine : bool
        Let the map follow the photo's edges (`blurmapper.refinement.refine_map`); otherwise
        it is enlarged bilinearly.
    working_side : int, optional
        From 16 up: the network sees at most ``working_side ** 2`` pixels of a photo; the weights'
        own choice unless given. Larger sees finer detail, but also calls more of it blurred.
    threads : int, optional
        CPU threads of one run, 1 to 1024; all cores unless given.
    backend : {"onnxruntime", "openvino"} or Backend
        What runs the network. OpenVINO is the extra ``openvino``; for anything else give an
        object; `weights` has the card that goes with it, and its file beside it.
    device : {"auto", "cpu", "cuda", "coreml", "directml", "openvino"}
        What runs the network, by ONNX Runtime; the processor, and a line of the log, elsewhere.

    Raises
    ------
    WeightsError
        If there are no such weights, or their file is not the one on the card.
    ConfigError
        If `working_side` or `threads` is out of range, or no backend or device has that name.
    MissingExtraError
        If the backend is not installed.

    Examples
    --------
    >>> blur_map = BlurMapper()("photo.jpg")  # doctest: +SKIP
    >>> blur_map.shape, blur_map.dtype  # doctest: +SKIP
    ((3000, 4000), dtype('float32'))

    References
    ----------
    K. Ma, H. Fu, T. Liu, Z. Wang and D. Tao, "Deep Blur Mapping: Exploiting High-Level
    Semantics by Deep Neural Networks", IEEE Transactions on Image Processing 27(10), 2018,
    doi:10.1109/TIP.2018.2847421.
    """

    __slots__ = ("__weakref__", "_backend", "_card", "_options", "_path", "_preprocessing")

    def __init__(
        self,
        weights: str | Path = "dbm-lite",
        *,
        refine: bool = True,
        working_side: int | None = None,
        threads: int | None = None,
        backend: Backend | BackendName = "onnxruntime",
        device: Device = "auto",
    ) -> None:
        self._card, self._path = find_weights(weights)
        self._preprocessing = self._card.preprocessing
        if working_side is not None:
            check_number("working side", working_side, MIN_SIDE)
            self._preprocessing = replace(self._preprocessing, working_side=working_side)
        # Bundled weights go by name: another machine has them elsewhere.
        named = self._path.parent == BUNDLED
        self._options: dict[str, Any] = {
            "weights": self._path.stem if named else Path(weights).absolute(),
            "refine": refine,
            "working_side": working_side,
            "threads": threads,
            "backend": backend,
            "device": device,
        }
        if isinstance(backend, str):
            backend = open_backend(backend, self._path, threads=threads, device=device)
        self._backend = backend

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        endpoint: str | None = None,
        offline: bool = False,
    ) -> Self:
        """Open weights by bundled name, from a file or folder, or from a Hugging Face repository.

        Parameters
        ----------
        source, revision, endpoint, offline
            As for `blurmapper.hub.fetch_weights`, whose answer `BlurMapper` takes too.

        Raises
        ------
        WeightsError
            If there are no such weights, their file is not the one on the card, or it is of a
            format that can run code.
        MissingExtraError
            If it is a repository and ``blurmapper[hub]`` is not installed.
        """
        from blurmapper.hub import fetch_weights

        return cls(fetch_weights(source, revision=revision, endpoint=endpoint, offline=offline))

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write weights, card and a page about them into a folder, ready to be pushed to a hub.

        Raises
        ------
        WeightsError
            If the folder cannot be written; `ConfigError` if it is none on this machine.
        """
        from blurmapper.hub import save_weights

        return save_weights(self._card, self._path, folder)

    def __getstate__(self) -> dict[str, Any]:
        """Return the options and which weights they named, but no network."""
        held: Any = object.__getstate__(self)  # by the dict of a subclass, and by slots
        own = (held[0] or {}) | {n: held[1][n] for n in set(held[1]) - set(BlurMapper.__slots__)}
        return {"options": self._options, "identity": self._card.identity, "own": own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the weights again, unless they have become others."""
        BlurMapper.__init__(self, **state["options"])
        if self._card.identity != state["identity"]:
            raise WeightsError(
                f"{self._path}: not the weights of the BlurMapper that was pickled; make a new one"
            )
        for name, value in state["own"].items():
            setattr(self, name, value)

    @property
    def card(self) -> WeightsCard:
        """The card of the weights: where they come from and how good they are."""
        return self._card

    @property
    def preprocessing(self) -> Preprocessing:
        """How a photo becomes the network's input."""
        return self._preprocessing

    def __call__(self, source: ImageSource) -> BlurMap:
        """Map the blur of a photo.

        Parameters
        ----------
        source : path, bytes-like, open file, PIL.Image.Image or ndarray
            Whatever `blurmapper.read_image` takes.

        Returns
        -------
        ndarray
            float32 (H, W) in [0, 1], the probability that a pixel is blurred, at the
            photo's own size after its EXIF turn.

        Raises
        ------
        ImageError
            If the photo cannot be read.
        """
        return self._in_pieces(read_image(source), self._map)[0]

    def map_many(
        self, sources: Iterable[ImageSource] | ImageSource, *, batch: int = 8
    ) -> Iterator[BlurMap]:
        """Map photos in turn, and run the network on several of one size at a time.

        Parameters
        ----------
        sources : iterable
            Whatever `blurmapper.read_image` takes, read as maps are asked for; or one such photo.
        batch : int
            The most photos of one size in a row that are held, arrays as copies, and run together.

        Yields
        ------
        ndarray
            A photo's map, as a call gives it, in the photos' order.

        Raises
        ------
        ImageError
            If a photo cannot be read, after the maps of those before it.
        ConfigError
            If `batch` is below 1, at once.
        """
        check_number("batch", batch, 1)
        several: Any = [sources] if is_one_photo(sources) else sources
        photos = (unshared(read_image(each), each) for each in several)
        batches = in_batches(photos, lambda image: image.shape[:2], batch)
        return (blur_map for alike in batches for blur_map in self._map_alike(alike))

    def _map_alike(self, images: list[ImageArray]) -> Iterator[BlurMap]:
        if max(images[0].shape[:2]) > MOST_ASPECT * min(images[0].shape[:2]):
            return map(self, images)
        reduced = [self._reduce(image) for image in images]
        return map(self._enlarge, images, reduced, self._run(*reduced))

    def map_kinds(self, source: ImageSource) -> BlurKinds:
        """Map how likely each pixel is blurred by defocus, and by motion.

        Parameters
        ----------
        source : path, bytes-like, open file, PIL.Image.Image or ndarray
            Whatever `blurmapper.read_image` takes.

        Returns
        -------
        BlurKinds
            ``defocus`` and ``motion``, at the photo's own size; their sum is the blur map.

        Raises
        ------
        ImageError
            If the photo cannot be read.
        WeightsError
            If the weights know one kind of blur only, as the paper's do.
        """
        return BlurKinds(*self._in_pieces(read_image(source), self._map_kinds))

    def map_amount(self, source: ImageSource) -> BlurAmounts:
        """Measure how wide the blur is, in the photo's own pixels.

        Parameters
        ----------
        source : path, bytes-like, open file, PIL.Image.Image or ndarray
            Whatever `blurmapper.read_image` takes.

        Returns
        -------
        BlurAmounts
            Of cells of 16 x 16 pixels, whichever weights map the blur.

        Raises
        ------
        ImageError
            If the photo cannot be read.
        """
        return measure_amounts(read_image(source), threads=self._options["threads"])

    def map_coarse(self, image: ImageArray) -> BlurMap:
        """Map what `read_image` returns at the size that the network sees: float32 (h, w)."""
        return self._run(self._reduce(check_image(image)))[0]

    def _in_pieces(
        self, image: ImageArray, map_piece: Callable[[ImageArray], tuple[BlurMap, ...]]
    ) -> tuple[BlurMap, ...]:
        return map_in_pieces(image, self._preprocessing.working_side**2, map_piece)

    def _map(self, image: ImageArray) -> tuple[BlurMap]:
        reduced = self._reduce(image)
        return (self._enlarge(image, reduced, self._run(reduced)[0]),)

    def _map_kinds(self, image: ImageArray) -> tuple[BlurMap, BlurMap]:
        reduced = self._reduce(image)
        batch = self._preprocessing.normalise(reduced)
        outputs = self._backend.run_kinds(batch)
        (coarse_map,), (coarse_motion,) = take_maps(self._backend, batch, outputs, 2)
        blur_map = self._enlarge(image, reduced, coarse_map)
        motion = blur_map * enlarge_map(coarse_motion, *image.shape[:2])
        return blur_map - motion, motion

    def _run(self, *reduced: ImageArray) -> list[BlurMap]:
        batch = np.concatenate([self._preprocessing.normalise(image) for image in reduced])
        return take_maps(self._backend, batch, [self._backend.run(batch)])[0]

    def _enlarge(self, image: ImageArray, reduced: ImageArray, coarse_map: BlurMap) -> BlurMap:
        if self._options["refine"]:
            return refine_map(image, coarse_map, reduced=reduced)
        return enlarge_map(coarse_map, *image.shape[:2])

    def _reduce(self, image: ImageArray) -> ImageArray:
        return reduce_image(image, self._preprocessing)
