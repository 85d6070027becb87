from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgesr.cli._jobs import JobList, OutputOptions, UpscaleJob, plan_jobs
from edgesr.errors import ConfigError
from edgesr.imaging.encode import encode, format_for
from edgesr.imaging.picture import Picture

BESIDE = OutputOptions(output=None, suffix="_x4")
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures by ending and by content, and what a folder of photographs holds besides."""
    pictures = tmp_path / "pictures"
    (pictures / "deep/er").mkdir(parents=True)
    (pictures / ".thumbnails").mkdir()
    files = {"b.jpg": b"", "a.png": PNG, "named_nothing": PNG, "Thumbs.db": b"\xd0\xcf",
             "notes.txt": b"x", "._a.png": PNG, ".DS_Store": b"\0\0\0\1Bud1",
             "deep/c.webp": PNG, "deep/er/d.BMP": b"BM", ".thumbnails/a.png": PNG}  # fmt: skip
    for name, content in files.items():
        (pictures / name).write_bytes(content)
    return pictures


def names(plan: JobList, root: Path) -> list[tuple[str, str]]:
    return [
        (str(job.input.relative_to(root)), str(job.output.relative_to(root))) for job in plan.jobs
    ]


def write_as_edgesr(path: Path) -> None:
    """Write a picture as edgesr writes its results."""
    data, _ = encode(Picture(np.zeros((2, 2, 3), np.uint8)), format_for(".png"))
    path.write_bytes(data)


def refusal(inputs: list[Path], options: OutputOptions) -> str:
    plan = plan_jobs(inputs, options)
    assert not plan.jobs or len(inputs) > 1
    (refused,) = plan.refused
    assert refused.input == inputs[-1]
    return str(refused.error)


def test_a_result_lies_beside_its_input(tmp_path: Path) -> None:
    plan = plan_jobs([tmp_path / "photo.jpg"], BESIDE)
    assert plan.jobs == (UpscaleJob(tmp_path / "photo.jpg", tmp_path / "photo_x4.png"),)


def test_a_missing_input_is_left_to_the_reader(tmp_path: Path) -> None:
    assert len(plan_jobs([tmp_path / "missing.png"], BESIDE).jobs) == 1


def test_a_folder_gives_its_pictures_and_nothing_else(folder: Path) -> None:
    expected = [
        ("a.png", "a_x4.png"),
        ("b.jpg", "b_x4.png"),
        ("named_nothing", "named_nothing_x4.png"),
    ]
    assert names(plan_jobs([folder], BESIDE), folder) == expected


def test_a_tree_is_kept(folder: Path) -> None:
    options = OutputOptions(folder / "out", suffix="", ending=".jpg", recursive=True)
    assert names(plan_jobs([folder], options), folder) == [
        ("a.png", "out/a.jpg"),
        ("b.jpg", "out/b.jpg"),
        ("named_nothing", "out/named_nothing.jpg"),
        ("deep/c.webp", "out/deep/c.jpg"),
        ("deep/er/d.BMP", "out/deep/er/d.jpg"),
    ]


def test_results_are_not_enlarged_again(folder: Path) -> None:
    before = plan_jobs([folder], BESIDE).jobs
    for job in before:
        write_as_edgesr(job.output)
    (folder / "cat.png").write_bytes(PNG)
    (folder / "cat_x4.png").write_bytes(PNG)  # a person's own name and picture
    again = plan_jobs([folder], replace(BESIDE, suffix="_x2"))
    assert [job.input.name for job in again.jobs] == [
        "a.png",
        "b.jpg",
        "cat.png",
        "cat_x4.png",
        "named_nothing",
    ]
    assert again.own == tuple(job.output for job in before)
    given = sorted(folder.glob("*.png"))  # as a shell gives *.png
    assert plan_jobs(given, replace(BESIDE, overwrite=True)).own == again.own
    taken = plan_jobs([folder], replace(BESIDE, suffix="_x2", again=True))
    assert len(taken.jobs) == 8
    assert taken.own == ()
    (alone,) = plan_jobs([folder / "a_x4.png"], BESIDE).jobs
    assert alone.output.name == "a_x4_x4.png"

    inside = OutputOptions(folder / "out", suffix="", recursive=True)
    (folder / "out").mkdir()
    (folder / "out/a.png").write_bytes(PNG)
    found = plan_jobs([folder], inside)
    assert not [job for job in found.jobs if "out" in job.input.parts]


def test_what_is_there_is_refused_skipped_or_replaced(tmp_path: Path) -> None:
    photo, result = tmp_path / "photo.png", tmp_path / "photo_x4.png"
    result.write_bytes(PNG)
    message = refusal([photo], BESIDE)
    assert "the result is there already" in message
    assert message.endswith("try: --overwrite")
    assert plan_jobs([photo], replace(BESIDE, skip_existing=True)).skipped == (
        UpscaleJob(photo, result),
    )
    assert plan_jobs([photo], replace(BESIDE, overwrite=True)).jobs == (UpscaleJob(photo, result),)
    with pytest.raises(ConfigError, match="contradict"):
        plan_jobs([photo], replace(BESIDE, overwrite=True, skip_existing=True))


def test_no_option_makes_a_result_replace_an_input(tmp_path: Path) -> None:
    photo, other = tmp_path / "photo.png", tmp_path / "photo_x4.png"
    for options in (
        OutputOptions(photo, "_x4", overwrite=True),
        OutputOptions(None, "", overwrite=True),
    ):
        assert "would replace an input" in refusal([photo], options)
    plan = plan_jobs([photo, other], replace(BESIDE, overwrite=True))
    assert [job.input for job in plan.jobs] == [other]
    (refused,) = plan.refused
    assert refused.input == photo
    assert refused.error.fix == f"edgesr upscale {photo} -o ANOTHER_FOLDER/"
    elsewhere = OutputOptions(tmp_path / "another", "_x4", to_folder=True)
    assert plan_jobs([photo], elsewhere).refused == ()


def test_two_pictures_of_one_stem_keep_their_endings(tmp_path: Path) -> None:
    inputs = [tmp_path / "photo.jpg", tmp_path / "photo.png", tmp_path / "other.png"]
    assert names(plan_jobs(inputs, BESIDE), tmp_path) == [
        ("photo.jpg", "photo.jpg_x4.png"),
        ("photo.png", "photo.png_x4.png"),
        ("other.png", "other_x4.png"),
    ]


def test_two_results_of_one_name_are_not_both_written(tmp_path: Path) -> None:
    inputs = [tmp_path / "one/photo.jpg", tmp_path / "two/photo.jpg"]
    assert f"would replace that of {inputs[0]}" in refusal(
        inputs, OutputOptions(tmp_path / "out", "")
    )


def test_a_picture_given_twice_is_done_once(folder: Path) -> None:
    plan = plan_jobs([folder / "a.png", folder, folder / "deep/../a.png"], BESIDE)
    assert [job.input.name for job in plan.jobs] == ["a.png", "b.jpg", "named_nothing"]


def test_a_folder_where_the_result_goes(tmp_path: Path) -> None:
    (tmp_path / "photo_x4.png").mkdir()
    options = replace(BESIDE, overwrite=True)
    assert "a folder stands where" in refusal([tmp_path / "photo.png"], options)


def test_output_as_file_and_as_folder(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    for output, ending, expected in [
        ("big.webp", None, "big.webp"),
        ("big.JPEG", None, "big.JPEG"),
        ("big.jpg", ".jpg", "big.jpg"),
        ("folder", None, "folder/photo_x4.png"),
        ("folder", ".webp", "folder/photo_x4.webp"),
    ]:
        (job,) = plan_jobs([photo], OutputOptions(tmp_path / output, "_x4", ending)).jobs
        assert job.output == tmp_path / expected
    (tmp_path / "odd.name").mkdir()
    (job,) = plan_jobs([photo], OutputOptions(tmp_path / "odd.name", "_x4")).jobs
    assert job.output == tmp_path / "odd.name/photo_x4.png"


def test_contradicting_wishes(tmp_path: Path) -> None:
    photos = [tmp_path / "a.png", tmp_path / "b.png"]
    with pytest.raises(ConfigError, match="need a folder"):
        plan_jobs(photos, OutputOptions(tmp_path / "one.png", "_x4"))
    with pytest.raises(ConfigError, match="need a folder"):
        plan_jobs([tmp_path], OutputOptions(tmp_path / "one.png", "_x4"))
    with pytest.raises(ConfigError, match="-o asks for WebP, --format for JPEG"):
        plan_jobs(photos[:1], OutputOptions(tmp_path / "one.webp", "_x4", ".jpg"))
    with pytest.raises(ConfigError, match=r"not '\.gif'"):
        plan_jobs(photos[:1], OutputOptions(tmp_path / "one.gif", "_x4"))


def test_a_folder_without_pictures(folder: Path) -> None:
    (folder / "empty").mkdir()
    plan = plan_jobs([folder / "empty", folder / "a.png"], BESIDE)
    assert [job.input.name for job in plan.jobs] == ["a.png"]
    (refused,) = plan.refused
    assert refused.input == folder / "empty"
    assert refused.error.what == "no picture in this folder"
    assert refused.error.fix == f"edgesr upscale --recursive {folder / 'empty'}"


def test_both_of_two_links_to_one_picture_are_done(folder: Path) -> None:
    for name in ("one.png", "two.png"):
        (folder / name).symlink_to("a.png")
    plan = plan_jobs([folder / "one.png", folder / "two.png"], BESIDE)
    assert names(plan, folder) == [("one.png", "one_x4.png"), ("two.png", "two_x4.png")]


def test_a_result_replaces_no_link_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "photo_x4.png").symlink_to("nowhere")
    assert "the result is there already" in refusal([tmp_path / "photo.png"], BESIDE)


@pytest.mark.parametrize(("length", "is_done"), [(243, True), (248, True), (249, False)])
def test_names_up_to_the_longest_that_a_file_can_have(
    tmp_path: Path, length: int, is_done: bool
) -> None:
    plan = plan_jobs([tmp_path / f"{'n' * length}.png", tmp_path / "a.png"], BESIDE)
    assert len(plan.jobs) == 1 + is_done
    if not is_done:
        (refused,) = plan.refused
        assert f"would take {length + 7} bytes, more than 255" in refused.error.what


def test_a_stem_of_251_bytes_stops_nothing(folder: Path) -> None:
    (folder / ("n" * 251 + ".png")).write_bytes(PNG)
    plan = plan_jobs([folder], BESIDE)
    assert [job.input.name for job in plan.jobs] == ["a.png", "b.jpg", "named_nothing"]
    assert len(plan.refused) == 1


def test_a_folder_of_results_may_have_a_point_in_its_name(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    slash = OutputOptions(tmp_path / "photos_v1.2", "_x4", to_folder=True)
    assert names(plan_jobs([photo], slash), tmp_path) == [("photo.png", "photos_v1.2/photo_x4.png")]
    several = plan_jobs([photo, tmp_path / "b.png"], OutputOptions(tmp_path / "photos_v1.2", "_x4"))
    assert {job.output.parent.name for job in several.jobs} == {"photos_v1.2"}


def test_a_folder_that_cannot_be_written_is_noticed_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file/deeper", Path("/proc/edgesr")):
        plan = plan_jobs([tmp_path / "photo.png"], OutputOptions(place, "_x4", to_folder=True))
        assert plan.jobs == ()
        assert "cannot be written into" in plan.refused[0].error.what
