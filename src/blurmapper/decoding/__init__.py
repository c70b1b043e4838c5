"""Files, Pillow images and arrays of every kind -> one kind of RGB array."""

from blurmapper.decoding.arrays import (
    MIN_SIDE,
    as_plain,
    check_image,
    check_map,
    check_pair,
    describe,
    from_array,
    grey_strips,
    ignore_underflow,
    is_one_photo,
    row_strips,
    to_eight_bits,
    turn_back,
    unshared,
)
from blurmapper.decoding.files import Photo, decode_photo, from_pillow
from blurmapper.decoding.metadata import is_turned_webp, read_metadata
from blurmapper.decoding.opening import Content, OpenFile, read_open_file
from blurmapper.decoding.raw import LIKE, RAW_SUFFIXES
from blurmapper.decoding.sizes import read_size
from blurmapper.decoding.stored import read_array, read_stored
