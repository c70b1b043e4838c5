"""The HTTP API: a photo in the body of a request, a map or numbers in the answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, Field

from blurmapper.applications import cut_out, magnify_blur, segment_blur
from blurmapper.applications.magnification import MOST_STRENGTH
from blurmapper.errors import ImageError
from blurmapper.images import (
    BlurMap,
    ImageArray,
    draw_overlay,
    encode_cutout,
    encode_image,
    encode_map,
)
from blurmapper.preprocessing import WHITE
from blurmapper.web.figures import Figures, Judgement, Mapped, measure
from blurmapper.web.turns import Turn, refuse_unknown_parameters, to_json

MapFormat = Literal["png", "png16", "npy"]
PhotoFormat = Literal["jpeg", "png"]
MEDIA_TYPES = {"png16": "image/png", "npy": "application/x-npy"}
"""Of formats; of the others ``image/`` and their name."""

MAPS: dict[str, MapFormat] = {"image/png": "png", "application/x-npy": "npy"}
PHOTOS: dict[str, PhotoFormat] = {"image/jpeg": "jpeg", "image/png": "png"}

Kind = Literal["blur", "defocus", "motion"]
_FORMAT = Query(alias="format", description="By the header Accept unless given.")
MapFormatOption = Annotated[MapFormat | None, _FORMAT]
PhotoFormatOption = Annotated[PhotoFormat | None, _FORMAT]

BINARY = {"type": "string", "format": "binary"}

PHOTO_BODY = {
    "requestBody": {
        "required": True,
        "description": "A photo's file of any format that blurmapper reads, bare or in a form.",
        "content": {
            "image/*": {"schema": BINARY},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": BINARY}, "required": ["file"]}
            },
        },
    }
}


class Refusal(BaseModel):
    """Every answer but a good one."""

    error: str = Field(description="What is wrong, and what mends it, in one line.")


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": description}
    for status, description in {
        400: "A parameter or a form cannot be used.",
        408: "The photo did not arrive in time.",
        413: "Too many bytes or pixels.",
        415: "The body is compressed.",
        422: "No photo that can be read.",
        503: "Too much to do: come again after the seconds in Retry-After.",
        504: "The photo takes too long.",
    }.items()
}

api = APIRouter(
    prefix="/v1",
    tags=["photos"],
    responses=REFUSALS,
    dependencies=[Depends(refuse_unknown_parameters)],
)


def _answering_with(*media_types: str) -> dict[str, Any]:
    """Return what OpenAPI has to know of a route that answers with a file."""
    return {
        "openapi_extra": PHOTO_BODY,
        "response_class": Response,
        "responses": {
            200: {"content": {media_type: {"schema": BINARY} for media_type in media_types}}
        },
    }


@api.post("/map", **_answering_with(*MAPS))
async def map_blur(turn: Turn, of: Kind = "blur", form: MapFormatOption = None) -> Response:
    """Map the blur of a photo: white is blurred, black is sharp.

    PNG of 8 or 16 bits, or float32 .npy, at the photo's size after its EXIF turn. The maps of
    the two kinds of blur add up to that of all. The header Blur-Figures holds what /v1/degree
    answers.
    """
    chosen = turn.choose(form, MAPS)

    def work(mapped: Mapped) -> Response:
        height, width = mapped.blur_map.shape
        answer = _map_file(_part(mapped, of), chosen, (height, width))
        answer.headers["Blur-Figures"] = measure(mapped).model_dump_json()
        return answer

    return await turn.map(work, whole=False)


@api.post("/degree", openapi_extra=PHOTO_BODY, response_model=Figures)
async def measure_blur(turn: Turn) -> Response:
    """Tell a photo's blur degree S, how much of it is blurred, and by what."""
    return await turn.map(lambda mapped: to_json(measure(mapped)), whole=False)


@api.post("/rank", openapi_extra=PHOTO_BODY, response_model=Judgement)
async def judge_photo(turn: Turn) -> Response:
    """Say in a word and a sentence how sharp a photo is, where, and how it compares with others.

    These are the numbers that `blurmapper rank` puts photos in order by, measured in the photo's
    own pixels, which takes longer than /v1/degree.
    """
    return await turn.judge()


@api.post("/overlay", **_answering_with(*PHOTOS))
async def draw_blur(
    turn: Turn,
    threshold: Annotated[
        float | None,
        Query(ge=0, le=1, description="Tint what is at least so likely blurred, and no other."),
    ] = None,
    form: PhotoFormatOption = None,
) -> Response:
    """Draw a photo with what is blurred in grey and violet, the more the likelier it is."""
    chosen = turn.choose(form, PHOTOS)

    def work(mapped: Mapped) -> Response:
        tint = mapped.blur_map
        if threshold is not None:
            tint = (tint >= threshold).astype("float32")
        return _photo_file(draw_overlay(mapped.image, tint), chosen)

    return await turn.map(work)


@api.post("/segment", **_answering_with("image/png"))
async def segment(
    turn: Turn,
    result: Annotated[
        Literal["mask", "cutout"],
        Query(description="White where the subject is, or the subject on transparency."),
    ] = "mask",
) -> Response:
    """Separate the sharp subject of a photo from what is blurred.

    The header Subject-Share holds the share of the photo that is subject. Cutouts need the
    extra baselines on the server.
    """

    def work(mapped: Mapped) -> Response:
        if result == "cutout":
            rgba = cut_out(mapped.image, mapped.blur_map)
            answer = _file(encode_cutout(rgba), "png")
            share = rgba[..., 3].mean(dtype="float64") / WHITE[rgba.dtype]
        else:
            mask = segment_blur(mapped.image, mapped.blur_map).astype("float32")
            answer = _map_file(mask, "png")
            share = mask.mean(dtype="float64")
        answer.headers["Subject-Share"] = f"{share:.4f}"
        return answer

    return await turn.map(work)


@api.post("/magnify", **_answering_with(*PHOTOS))
async def magnify(
    turn: Turn,
    strength: Annotated[
        float, Query(ge=0, le=MOST_STRENGTH, description="How much blur is added.")
    ] = 1.0,
    shape: Annotated[
        Literal["disc", "gaussian", "polygon"], Query(description="What a point of light becomes.")
    ] = "disc",
    way: Annotated[
        Literal["lens", "naive"], Query(description="naive is the paper's, to compare.")
    ] = "lens",
    form: PhotoFormatOption = None,
) -> Response:
    """Blur further what is blurred in a photo, and leave alone what is sharp."""
    chosen = turn.choose(form, PHOTOS)

    def work(mapped: Mapped) -> Response:
        magnified = magnify_blur(
            mapped.image, mapped.blur_map, strength=strength, shape=shape, method=way
        )
        return _photo_file(magnified, chosen)

    return await turn.map(work)


@api.post("/photo", **_answering_with(*PHOTOS))
async def show(turn: Turn, form: PhotoFormatOption = None) -> Response:
    """Return a photo as it was read: upright, in sRGB, in a format that browsers show."""
    chosen = turn.choose(form, PHOTOS)
    return await turn.read(lambda image: _photo_file(image, chosen))


def _part(mapped: Mapped, of: Kind) -> BlurMap:
    if of == "blur":
        return mapped.coarse_map
    if mapped.kinds is None:
        raise HTTPException(
            400, "this server's method cannot tell motion from defocus; serve dbm-lite"
        )
    return mapped.kinds.defocus if of == "defocus" else mapped.kinds.motion


def _map_file(blur_map: BlurMap, form: MapFormat, size: tuple[int, int] | None = None) -> Response:
    suffix = ".png" if form == "png16" else f".{form}"
    bits: Literal[8, 16] = 16 if form == "png16" else 8
    return _file(encode_map(blur_map, suffix, bits=bits, size=size), form)


def _photo_file(image: ImageArray, form: PhotoFormat) -> Response:
    try:
        return _file(encode_image(image, f".{form}"), form)
    except ImageError as error:
        line = f"JPEG takes no {image.shape[1]} x {image.shape[0]} pixels; ask for format=png"
        raise HTTPException(400, line) from error


def _file(content: bytes, form: str) -> Response:
    return Response(content, media_type=MEDIA_TYPES.get(form, f"image/{form}"))
