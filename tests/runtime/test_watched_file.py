"""A file that others replace: what it holds is known soon, and never lost."""

from pathlib import Path

import pytest

from leadline.runtime.watched_file import MOST_BYTES, WatchedFile


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """As the kubelet mounts it: a link to a folder that is replaced whole."""
    folder = tmp_path / "..2026_01"
    folder.mkdir()
    (folder / "token").write_text("old\n")
    (tmp_path / "..data").symlink_to(folder.name)
    (tmp_path / "token").symlink_to("..data/token")
    return tmp_path / "token"


def rotate(path: Path, text: str) -> None:
    folder = path.parent / f"..2026_02_{text}"
    folder.mkdir()
    (folder / "token").write_text(text)
    (path.parent / "..data_tmp").symlink_to(folder.name)
    (path.parent / "..data_tmp").replace(path.parent / "..data")


def test_a_replaced_file_is_read_again_but_not_looked_at_all_the_time(path: Path, clock: Clock) -> None:
    file = WatchedFile(path, check_seconds=5, monotonic=clock)
    assert file.text() == "old"
    rotate(path, "new")
    clock.now = 4.9
    assert file.text() == "old"
    clock.now = 5
    assert file.text() == "new"
    rotate(path, "newest")
    assert file.look() == "newest"


def test_a_file_that_is_written_in_place_is_read_again(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "token"
    path.write_text("one")
    file = WatchedFile(path, check_seconds=0, monotonic=clock)
    assert file.text() == "one"
    path.write_text("three")
    assert file.text() == "three"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"x" * (MOST_BYTES + 1), None])
def test_a_file_that_cannot_be_read_leaves_what_was_known(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    file = WatchedFile(path, text="known", check_seconds=0)
    path.write_bytes(content) if content is not None else None
    assert [file.text(), file.text()] == ["known", "known"]
    assert [record.message for record in caplog.records] == ["file_not_readable"]
    path.write_text("s3cret")
    assert file.text() == "s3cret"
    assert "s3cret" not in caplog.text


def test_a_file_that_was_never_there_has_no_text(tmp_path: Path) -> None:
    assert WatchedFile(tmp_path / "none").text() == ""
