"""Pictures as numbers: brightness, colour, sharpness, edges and palette, one row a picture.

Every picture is first reduced to 128 × 128 pixels by averaging, so that figures do not depend on
its size and memory stays bounded. Nothing is fetched, and no file outside the given folder is read.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image
from scipy import ndimage

from followkit.errors import InputError
from followkit.tables import Dataset

__all__ = ["PALETTE", "STATISTICS", "add_statistics", "measure_picture", "measure_pictures"]

FloatArray = npt.NDArray[np.float64]

STATISTICS = (
    "brightness", "saturation", "colourfulness", "sharpness", "clipping", "edge_density",
)  # fmt: skip
#: Shares of greys, reds, yellows, greens, blues and purples.
PALETTE = tuple(f"palette_{place}" for place in range(6))
COLUMNS = STATISTICS + PALETTE

SIDE = 128
#: Formats that Pillow decodes by itself; others (EPS) would start a program.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
GREY_BELOW = 0.15
NEARLY_BLACK, NEARLY_WHITE = 5.0, 250.0
EDGE_STEP = 32.0
#: Greys by ITU-R BT.601.
LUMA = np.array([0.299, 0.587, 0.114])


def measure_picture(pixels: npt.ArrayLike) -> dict[str, float]:
    """Return the statistics of one picture.

    Parameters
    ----------
    pixels
        Height × width × 3 (red, green, blue), 0 to 255.

    Returns
    -------
    dict
        brightness: mean grey (ITU-R BT.601) / 255, 0 to 1. saturation: mean of (max − min) / max
        over the three colours, 0 for black, 0 to 1. colourfulness: √(σ²(rg) + σ²(yb)) +
        0.3 √(μ²(rg) + μ²(yb)) with rg = R − G and yb = (R + G) / 2 − B, on the scale of 0 to 255,
        where 15 is slightly and 109 extremely colourful. sharpness: variance of the four-neighbour
        Laplacian of the greys inside the frame (grey levels squared). clipping: share of pixels
        with a grey of at most 5 or at least 250. edge_density: share of pixels with a Sobel
        gradient of at least 32 grey levels (a sharp step of h levels counts h on both sides).
        palette_0: share of pixels that are grey (saturation or value under 0.15); palette_1 to
        palette_5: shares of the others by hue, in five sectors of 72° around red (0°), yellow
        (72°), green (144°), blue (216°) and purple (288°). The six add up to 1.

    Raises
    ------
    InputError
        If the pixels have another shape.

    References
    ----------
    Hasler & Süsstrunk (2003), Measuring colourfulness in natural images, SPIE 5007,
    doi:10.1117/12.477378.

    Examples
    --------
    >>> red = np.zeros((4, 4, 3))
    >>> red[..., 0] = 255
    >>> figures = measure_picture(red)
    >>> round(figures["brightness"], 3), round(figures["colourfulness"], 2), figures["palette_1"]
    (0.299, 85.53, 1.0)
    """
    colours = np.asarray(pixels, dtype=np.float64)
    if colours.ndim != 3 or colours.shape[2] != 3 or min(colours.shape[:2]) < 3:
        raise InputError(
            f"pixels: height × width × 3 and at least 3 × 3 pixels are needed, found "
            f"{colours.shape}; convert the picture to RGB first"
        )
    grey = colours @ LUMA
    top = colours.max(axis=2)
    spread = top - colours.min(axis=2)
    saturation = np.divide(spread, top, out=np.zeros_like(top), where=top > 0)
    is_clipped = (grey <= NEARLY_BLACK) | (grey >= NEARLY_WHITE)
    figures = (
        grey.mean() / 255,
        saturation.mean(),
        _colourfulness(colours),
        ndimage.laplace(grey)[1:-1, 1:-1].var(),
        is_clipped.mean(),
        (_gradient(grey) >= EDGE_STEP).mean(),
        *_palette(colours, top, spread, saturation),
    )
    return dict(zip(COLUMNS, map(float, figures), strict=True))


def _colourfulness(colours: FloatArray) -> float:
    red, green, blue = np.moveaxis(colours, 2, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    spread, centre = opponents.std(axis=1), opponents.mean(axis=1)
    return float(np.hypot(*spread) + 0.3 * np.hypot(*centre))


def _gradient(grey: FloatArray) -> FloatArray:
    # Sobel's weights add up to 4 on either side.
    across, down = (ndimage.sobel(grey, axis=axis, mode="nearest") / 4 for axis in (1, 0))
    return np.asarray(np.hypot(across, down))


def _palette(
    colours: FloatArray, top: FloatArray, spread: FloatArray, saturation: FloatArray
) -> FloatArray:
    red, green, blue = np.moveaxis(colours, 2, 0)
    has_hue = (saturation >= GREY_BELOW) & (top / 255 >= GREY_BELOW)
    width = np.where(has_hue, spread, 1.0)
    turn = np.select(
        [top == red, top == green],
        [(green - blue) / width, 2 + (blue - red) / width],
        4 + (red - green) / width,
    )
    sector = np.floor((turn * 60 + 36) % 360 / 72).astype(np.int64).clip(0, 4)
    family = np.where(has_hue, sector + 1, 0)
    return np.bincount(family.ravel(), minlength=6) / family.size


def measure_pictures(media: pd.DataFrame | Dataset, folder: str | Path) -> pd.DataFrame:
    """Measure the files of a media table.

    A file that cannot be measured gets missing values and a reason; it never stops the others. A
    picture of more than `PIL.Image.MAX_IMAGE_PIXELS` pixels is left alone.

    Parameters
    ----------
    media
        A media table with `path` (relative to the folder), or a dataset that has one.
    folder
        Where the pictures lie; paths that lead out of it, links included, are not opened.

    Returns
    -------
    DataFrame
        One row a row of `media`, same order: media_id, width and height (pixels of the file), the
        statistics of `measure_picture`, and problem ("" where it could be measured).

    Raises
    ------
    InputError
        If the folder is none, or the table has no path.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> Image.new("RGB", (300, 200), (255, 0, 0)).save(folder / "red.png")
    >>> media = pd.DataFrame({"media_id": [1, 2], "path": ["red.png", "../red.png"]})
    >>> table = measure_pictures(media, folder)
    >>> table[["saturation", "problem"]].to_dict("list")
    {'saturation': [1.0, nan], 'problem': ['', 'outside the folder']}
    """
    table = media.media if isinstance(media, Dataset) else media
    base = Path(folder)
    if not base.is_dir():
        raise InputError(f"folder: a folder of pictures is needed, found {base.name!r}")
    if "path" not in table:
        raise InputError("media: the column path is needed; say for each picture where it lies")
    paths = table["path"].astype("object").where(table["path"].notna(), "")
    measured = {path: _measure_file(base, str(path)) for path in dict.fromkeys(paths)}
    rows = pd.DataFrame(
        [measured[path] for path in paths],
        columns=["width", "height", *COLUMNS, "problem"],
        index=table.index,
    )
    kinds = {"width": "Int64", "height": "Int64"} | dict.fromkeys(COLUMNS, "float64")
    rows.insert(0, "media_id", table["media_id"])
    return rows.astype(kinds)


def _measure_file(base: Path, path: str) -> dict[str, float | str]:
    if not path:
        return {"problem": "no path"}
    try:
        place = (base / path).resolve()
        if not place.is_relative_to(base.resolve()):
            return {"problem": "outside the folder"}
        if not place.is_file():
            return {"problem": "no such file"}
        width, height, pixels = _read_pixels(place)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return {"problem": "too many pixels"}
    # Pillow's decoders raise whatever a damaged file makes them raise.
    except Exception:
        return {"problem": "not a picture that can be read"}
    return {"width": width, "height": height, **measure_picture(pixels), "problem": ""}


def _read_pixels(place: Path) -> tuple[int, int, npt.NDArray[np.uint8]]:
    """Return width, height and the reduced picture; what is transparent becomes white."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(place, formats=FORMATS) as picture:
            width, height = picture.size
            picture.draft("RGB", (2 * SIDE, 2 * SIDE))
            if picture.mode.startswith(("I", "F")):
                raise ValueError("8 bits a colour are needed")
            if picture.has_transparency_data:
                seen = picture.convert("RGBA")
                plain = Image.new("RGBA", seen.size, "white")
                plain.alpha_composite(seen)
            else:
                plain = picture.convert("RGB")
            small = plain.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return width, height, np.asarray(small)


def add_statistics(dataset: Dataset, folder: str | Path) -> Dataset:
    """Return the dataset with the statistics of its pictures in `media`.

    Features of looks need them, and a dataset does not remember where its files lie: call this
    before `followkit.features.make_features`. Figures that are already there are kept; only
    pictures that lack one are opened.

    Parameters
    ----------
    dataset
        With `media.path`.
    folder
        Where the pictures lie.

    Returns
    -------
    Dataset
        `media` with the columns of `measure_pictures` but for problem; how many pictures could not
        be measured, and why, is noted in `quality`.

    Raises
    ------
    InputError
        If the folder is none, or `media` has no path.

    Examples
    --------
    >>> import tempfile
    >>> from followkit.tables import make_dataset
    >>> folder = Path(tempfile.mkdtemp())
    >>> Image.new("L", (8, 8), 51).save(folder / "grey.png")
    >>> data = make_dataset({
    ...     "follows": pd.DataFrame({"follower_id": ["a"], "followee_id": ["b"]}),
    ...     "media": pd.DataFrame({"media_id": ["m", "n"], "path": ["grey.png", "lost.png"]}),
    ... })
    >>> measured = add_statistics(data, folder)
    >>> measured.media["brightness"].round(3).tolist()
    [0.2, nan]
    >>> measured.quality["note"].iloc[-1]
    '1 of 2 pictures could not be measured: 1 no such file'
    """
    media = dataset.media.copy()
    columns = ["width", "height", *COLUMNS]
    for name in columns:
        # Further columns of a CSV file come as text.
        given = media[name] if name in media else pd.Series(np.nan, index=media.index)
        media[name] = pd.to_numeric(given, errors="coerce").astype("Float64")
    lacking = media[columns].isna().any(axis=1)
    measured = measure_pictures(media[lacking], folder)
    for name in columns:
        kind = "Int64" if name in ("width", "height") else "float64"
        media[name] = media[name].fillna(measured[name].astype("Float64")).astype(kind)
    quality = _note_problems(dataset.quality, measured["problem"])
    return replace(dataset.replace(media=media), quality=quality)


def _note_problems(quality: pd.DataFrame, problems: pd.Series) -> pd.DataFrame:
    reasons = Counter(problems[problems != ""])
    if not reasons:
        return quality
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    note = f"{reasons.total()} of {len(problems)} pictures could not be measured: {listed}"
    row = {"table": "media", "step": "noted", "rows": 0, "note": note}
    return pd.concat([quality, pd.DataFrame([row])], ignore_index=True)
