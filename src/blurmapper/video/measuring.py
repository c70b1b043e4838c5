"""What is measured of a frame: S, and its focus and verdict as `rank` gives them to a photo."""

from __future__ import annotations

from blurmapper.applications.degree import blur_degree, share_blurred
from blurmapper.methods import BlurMethod
from blurmapper.ranking.judging import judge_photo
from blurmapper.refinement import enlarge_map
from blurmapper.video.selection import By, FrameResult
from blurmapper.video.smoothing import MappedFrame


def measure_frame(frame: MappedFrame, method: BlurMethod, by: By) -> FrameResult:
    """Return what is known of a frame by its own map; its focus only where frames go by it."""
    image, blur_map, judged = frame.frame.image, frame.blur_map, None
    if by == "focus":
        judged = judge_photo(method, image, enlarge_map(blur_map, *image.shape[:2]))
    return FrameResult(
        frame.frame.number,
        frame.frame.seconds,
        blur_degree(blur_map),
        share_blurred(blur_map),
        frame.shot,
        judged and judged.focus,
        judged and judged.verdict.word,
    )
