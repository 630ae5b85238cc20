"""Statistics of pictures: known by hand, equal to plain loops, and safe with any file."""

from __future__ import annotations

import colorsys
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from worlds import make_world

from followkit.errors import InputError
from followkit.features import make_features
from followkit.media import (
    PALETTE,
    STATISTICS,
    add_statistics,
    measure_picture,
    measure_pictures,
)

SIDE = 128


def fill(*colour: int) -> np.ndarray:
    """Return a picture of one colour."""
    return np.broadcast_to(np.array(colour, dtype=np.uint8), (SIDE, SIDE, 3))


def halves(left: tuple[int, ...], right: tuple[int, ...]) -> np.ndarray:
    """Return a picture of two colours side by side."""
    return np.concatenate([fill(*left)[:, :64], fill(*right)[:, :64]], axis=1)


def grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(values)[:, :, None], 3, axis=2)


# -- known by hand ---------------------------------------------------------------------------------


def test_flat_grey() -> None:
    found = measure_picture(fill(128, 128, 128))
    known = dict.fromkeys((*STATISTICS, *PALETTE), 0.0) | {
        "brightness": 128 / 255,
        "palette_0": 1.0,
    }
    assert found == pytest.approx(known, abs=1e-12)


def test_pure_red() -> None:
    found = measure_picture(fill(255, 0, 0))
    known = dict.fromkeys((*STATISTICS, *PALETTE), 0.0) | {
        "brightness": 0.299,
        "saturation": 1.0,
        # rg = 255 and yb = 127.5 everywhere, without spread.
        "colourfulness": 0.3 * math.hypot(255, 127.5),
        "palette_1": 1.0,
    }
    assert found == pytest.approx(known, abs=1e-9)


@pytest.mark.parametrize(
    ("colour", "family"),
    [
        ((0, 0, 0), 0), ((255, 255, 255), 0), ((200, 190, 185), 0), ((30, 0, 0), 0),
        ((255, 0, 0), 1), ((255, 120, 0), 1), ((255, 0, 100), 1),
        ((255, 255, 0), 2), ((255, 200, 0), 2),
        ((0, 255, 0), 3), ((0, 255, 150), 3),
        ((0, 255, 255), 4), ((0, 0, 255), 4), ((0, 100, 255), 4),
        ((255, 0, 255), 5), ((120, 0, 255), 5),
    ],
)  # fmt: skip
def test_families_of_hues(colour: tuple[int, int, int], family: int) -> None:
    found = measure_picture(fill(*colour))
    assert [found[name] for name in PALETTE] == [float(place == family) for place in range(6)]


def test_black_and_white_halves() -> None:
    found = measure_picture(halves((0, 0, 0), (255, 255, 255)))
    assert found["brightness"] == pytest.approx(0.5)
    assert found["clipping"] == 1.0
    # The step counts on both of its sides.
    assert found["edge_density"] == pytest.approx(2 / SIDE)
    # Inside the frame the Laplacian is 255 in one column, −255 in the next and 0 in the other 124.
    assert found["sharpness"] == pytest.approx(2 * 255**2 / 126)


def test_red_and_blue_halves() -> None:
    found = measure_picture(halves((255, 0, 0), (0, 0, 255)))
    # rg is 255 or 0, yb is 127.5 or −255.
    known = math.hypot(127.5, 191.25) + 0.3 * math.hypot(127.5, 63.75)
    assert found["colourfulness"] == pytest.approx(known)
    assert (found["palette_1"], found["palette_4"]) == (0.5, 0.5)


def test_checkerboard() -> None:
    board = np.indices((SIDE, SIDE)).sum(axis=0) % 2 * 255
    found = measure_picture(grey(board))
    # Four neighbours of the other colour: the Laplacian is 1020 or −1020.
    assert found["sharpness"] == pytest.approx(1020.0**2)
    assert found["clipping"] == 1.0


def test_gradient_is_smooth() -> None:
    found = measure_picture(grey(np.tile(np.arange(SIDE), (SIDE, 1))))
    assert found["brightness"] == pytest.approx(63.5 / 255)
    assert found["sharpness"] == pytest.approx(0.0, abs=1e-18)
    assert found["edge_density"] == 0.0
    assert found["clipping"] == pytest.approx(6 / SIDE)


def test_blurring_takes_sharpness_and_edges() -> None:
    rng = np.random.default_rng(0)
    sharp = Image.fromarray(grey(rng.integers(0, 256, (SIDE, SIDE))).astype(np.uint8))
    blurred = sharp.resize((16, 16), Image.Resampling.BOX).resize((SIDE, SIDE))
    found, less = measure_picture(np.asarray(sharp)), measure_picture(np.asarray(blurred))
    assert found["sharpness"] > 100 * less["sharpness"]
    assert found["edge_density"] > less["edge_density"]


@pytest.mark.parametrize("seed", range(3))
def test_random_pictures_equal_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Few levels, so that ties between colours, greys and blacks occur.
    pixels = rng.choice([0, 10, 36, 128, 250, 255], (9, 7, 3))
    found = measure_picture(pixels)
    rows = [[tuple(map(int, pixel)) for pixel in row] for row in pixels]
    flat = [pixel for row in rows for pixel in row]
    hsv = [colorsys.rgb_to_hsv(*(value / 255 for value in pixel)) for pixel in flat]
    assert found["saturation"] == pytest.approx(np.mean([s for _, s, _ in hsv]))
    families = [
        0 if s < 0.15 or v < 0.15 else int((h * 360 + 36) % 360 // 72) + 1 for h, s, v in hsv
    ]
    shares = [families.count(place) / len(flat) for place in range(6)]
    assert [found[name] for name in PALETTE] == pytest.approx(shares)
    rg = [r - g for r, g, _ in flat]
    yb = [(r + g) / 2 - b for r, g, b in flat]
    colour = math.hypot(np.std(rg), np.std(yb)) + 0.3 * math.hypot(np.mean(rg), np.mean(yb))
    assert found["colourfulness"] == pytest.approx(colour)
    luma = [[0.299 * r + 0.587 * g + 0.114 * b for r, g, b in row] for row in rows]
    bends = [
        luma[y - 1][x] + luma[y + 1][x] + luma[y][x - 1] + luma[y][x + 1] - 4 * luma[y][x]
        for y in range(1, 8)
        for x in range(1, 6)
    ]
    assert found["sharpness"] == pytest.approx(np.var(bends))
    assert found["edge_density"] == pytest.approx(count_edges(luma) / 63)


def count_edges(luma: list[list[float]]) -> int:
    """Count pixels with a Sobel gradient of at least 32, the frame repeated outside."""
    high, wide = len(luma), len(luma[0])

    def near(y: int, x: int) -> float:
        return luma[min(max(y, 0), high - 1)][min(max(x, 0), wide - 1)]

    count = 0
    for y in range(high):
        for x in range(wide):
            across = sum(w * (near(y + d, x + 1) - near(y + d, x - 1)) for d, w in SOBEL)
            down = sum(w * (near(y + 1, x + d) - near(y - 1, x + d)) for d, w in SOBEL)
            count += math.hypot(across, down) / 4 >= 32
    return count


SOBEL = ((-1, 1), (0, 2), (1, 1))


@pytest.mark.parametrize("shape", [(5, 5), (5, 5, 4), (2, 5, 3), (0, 0, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="pixels: height × width × 3"):
        measure_picture(np.zeros(shape))


# -- files -----------------------------------------------------------------------------------------


def make_media(*paths: object) -> pd.DataFrame:
    return pd.DataFrame({"media_id": np.arange(len(paths)) + 10, "path": list(paths)})


def test_size_does_not_matter(tmp_path: Path) -> None:
    small = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    Image.fromarray(small).save(tmp_path / "small.png")
    Image.fromarray(small.repeat(3, axis=0).repeat(2, axis=1)).save(tmp_path / "large.png")
    found = measure_pictures(make_media("small.png", "large.png"), tmp_path)
    assert found["width"].tolist() == [128, 256]
    assert found["height"].tolist() == [128, 384]
    figures = found[[*STATISTICS, *PALETTE]]
    pd.testing.assert_series_equal(figures.loc[0], figures.loc[1], check_names=False)
    assert figures.loc[0].to_dict() == pytest.approx(measure_picture(small))


@pytest.mark.parametrize("kind", ["png", "gif", "webp", "bmp", "tiff", "jpg"])
def test_formats(tmp_path: Path, kind: str) -> None:
    Image.new("RGB", (300, 200), (0, 128, 255)).save(tmp_path / f"sky.{kind}")
    found = measure_pictures(make_media(f"sky.{kind}"), tmp_path).iloc[0]
    assert (found["problem"], found["width"], found["palette_4"]) == ("", 300, 1.0)
    assert found["saturation"] == pytest.approx(1.0, abs=0.02)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    found = measure_pictures(make_media("clear.png"), tmp_path).iloc[0]
    assert (found["brightness"], found["clipping"]) == (pytest.approx(1.0), 1.0)


def test_one_bad_file_stops_nothing(tmp_path: Path) -> None:
    base = tmp_path / "pictures"
    base.mkdir()
    good = Image.new("RGB", (64, 64), (0, 255, 0))
    good.save(base / "good.png")
    good.save(tmp_path / "secret.png")
    whole = (base / "good.png").read_bytes()
    (base / "cut.png").write_bytes(whole[: len(whole) // 2])
    (base / "words.png").write_text("not a picture")
    (base / "empty.png").write_bytes(b"")
    (base / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    Image.fromarray(np.zeros((9, 9), np.uint16)).save(base / "deep.png")
    (base / "link.png").symlink_to(tmp_path / "secret.png")
    cases = {
        "good.png": "",
        "cut.png": "not a picture that can be read",
        "words.png": "not a picture that can be read",
        "empty.png": "not a picture that can be read",
        "drawing.eps": "not a picture that can be read",
        "deep.png": "not a picture that can be read",
        "nul\0.png": "not a picture that can be read",
        "lost.png": "no such file",
        ".": "no such file",
        "../secret.png": "outside the folder",
        str(tmp_path / "secret.png"): "outside the folder",
        "link.png": "outside the folder",
        "sub/../good.png": "",
        None: "no path",
        "": "no path",
    }
    found = measure_pictures(make_media(*cases), base)
    assert found["problem"].tolist() == list(cases.values())
    assert found["media_id"].tolist() == list(range(10, 10 + len(cases)))
    good_rows = found["problem"] == ""
    assert found.loc[~good_rows].drop(columns=["media_id", "problem"]).isna().all(axis=None)
    assert found.loc[good_rows, "palette_3"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("limit", [3000, 1000])
def test_huge_pictures_are_left_alone(
    tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pillow warns above its limit, and raises above twice the limit: neither is opened.
    Image.new("L", (64, 64)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    found = measure_pictures(make_media("huge.png"), tmp_path)
    assert found["problem"].tolist() == ["too many pixels"]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=40), kind=st.sampled_from(["PNG", "GIF"]))
def test_any_bytes_give_figures_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes, kind: str
) -> None:
    place = tmp_path_factory.getbasetemp() / f"whole.{kind}"
    if not place.exists():
        noise = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
        Image.fromarray(noise).save(place)
    whole = place.read_bytes()
    cut = min(cut, len(whole))
    broken = place.with_name("broken")
    broken.write_bytes(whole[:cut] + junk + whole[cut + len(junk) :])
    found = measure_pictures(make_media("broken"), broken.parent).iloc[0]
    is_measured = found["problem"] == ""
    assert found[list(STATISTICS)].notna().all() == is_measured


def test_no_folder_and_no_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder of pictures is needed, found 'nowhere'"):
        measure_pictures(make_media("a.png"), tmp_path / "nowhere")
    with pytest.raises(InputError, match="media: the column path is needed"):
        measure_pictures(pd.DataFrame({"media_id": [1]}), tmp_path)


# -- datasets --------------------------------------------------------------------------------------


def test_statistics_make_features_of_bare_files(tmp_path: Path) -> None:
    world = make_world(2, "timed")
    media = world.dataset.media[["media_id", "post_id"]]
    rng = np.random.default_rng(0)
    for name in media["media_id"]:
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    bare = world.dataset.replace(media=media.assign(path=media["media_id"] + ".png"))
    name = "initiator_palette_consistency"
    assert make_features(world.dyads, bare, names=[name]).values.empty
    measured = add_statistics(bare, tmp_path)
    values = make_features(world.dyads, measured, names=[name]).values[name]
    assert len(values.dropna().unique()) > 1
    assert measured.quality.equals(bare.quality)


def test_figures_that_are_there_stay(tmp_path: Path) -> None:
    Image.new("RGB", (60, 30), (255, 0, 0)).save(tmp_path / "red.png")
    world = make_world(2, "timed")
    media = world.dataset.media.assign(path="lost.png")
    same = add_statistics(world.dataset.replace(media=media), tmp_path)
    columns = [*STATISTICS, *PALETTE, "width", "height"]
    pd.testing.assert_frame_equal(same.media[columns], media[columns])
    # Figures as text, one of them missing in the first row: only that gap is filled.
    holes = media.assign(path="red.png", saturation=media["saturation"].astype(str))
    holes.loc[0, "saturation"] = None
    filled = add_statistics(world.dataset.replace(media=holes), tmp_path).media
    assert filled["saturation"].tolist() == [1.0, *media["saturation"].iloc[1:]]
    assert filled["brightness"].tolist() == media["brightness"].tolist()


def test_what_could_not_be_measured_is_counted(tmp_path: Path) -> None:
    world = make_world(2, "timed")
    media = world.dataset.media[["media_id", "post_id"]].head(4)
    (tmp_path / "words.png").write_text("words")
    media = media.assign(path=["words.png", "a.png", "b.png", None])
    found = add_statistics(world.dataset.replace(media=media), tmp_path)
    note = found.quality.iloc[-1]
    assert note[["table", "step", "rows"]].tolist() == ["media", "noted", 0]
    assert note["note"] == (
        "4 of 4 pictures could not be measured: 1 no path, 2 no such file, "
        "1 not a picture that can be read"
    )
    assert found.media["brightness"].isna().all()
