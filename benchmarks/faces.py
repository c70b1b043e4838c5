"""Whether eyes that are sharp are called so, and eyes that are blurred are not.

``python -m benchmarks.faces ../shared/data/photos`` takes photos with a sharp subject before a soft
background (`bokeh`) in which a face of some size is found, as they are and with the face blurred by
a Gaussian, the rest as it was. Needs the extra ``faces``.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from blurmapper.images import ImageArray, read_image
from blurmapper.mapper import BlurMapper
from blurmapper.ranking.boxes import NamedBox
from blurmapper.ranking.faces import find_faces
from blurmapper.ranking.judging import judge_photo
from blurmapper.ranking.verdicts import judge_box

PHOTOS = 60
LOOKED_AT = 160
"""The first photos were looked at while the rules were chosen, and are left out."""

SIGMA = 4
LEAST_WIDTH = 64


def main(folder: Path) -> None:
    with (folder / "photos.csv").open(newline="") as stream:
        names = [row["photo"] for row in csv.DictReader(stream) if row["kind"] == "bokeh"]
    mapper = BlurMapper(threads=1)
    words: dict[str, Counter[str]] = {"as it is": Counter(), "blurred": Counter()}
    looked = measured = 0
    paths = [folder / "images" / f"{name}.jpg" for name in sorted(names)]
    for path in [path for path in paths if path.exists()][LOOKED_AT:]:
        if measured == PHOTOS:
            break
        looked += 1
        image = read_image(path)
        faces = find_faces(image)
        if not faces or faces[0].width < LEAST_WIDTH:
            continue
        measured += 1
        for kind, photo in (("as it is", image), ("blurred", blur(image, faces[0]))):
            words[kind][judge(mapper, photo, faces[0])] += 1
    print(f"{measured} of {looked} photos with a face of {LEAST_WIDTH} pixels")
    for kind, said in words.items():
        print(f"{kind}: " + ", ".join(f"{word} {count}" for word, count in said.most_common()))


def judge(mapper: BlurMapper, image: ImageArray, face: NamedBox) -> str:
    """Return the word that is said of a face."""
    blur_map = mapper(image)
    judged = judge_photo(mapper, image, blur_map)
    inside = face.slices(*image.shape[:2])
    return judge_box(blur_map, judged.amounts, judged.focus, inside)[0].word


def blur(image: ImageArray, face: NamedBox) -> ImageArray:
    """Return a photo with a face blurred, wider than it is and fading out."""
    height, width = image.shape[:2]
    weight = np.zeros((height, width), np.float32)
    middle = (round(face.x + face.width / 2), round(face.y + face.height / 2))
    cv2.circle(weight, middle, round(1.5 * face.width), 1.0, -1)
    share = np.asarray(cv2.GaussianBlur(weight, (0, 0), face.width / 8))[..., np.newaxis]
    soft = cv2.GaussianBlur(image, (0, 0), SIGMA)
    blurred: ImageArray = np.rint(share * soft + (1 - share) * image).astype(np.uint8)
    return blurred


if __name__ == "__main__":
    main(Path(sys.argv[1]))
