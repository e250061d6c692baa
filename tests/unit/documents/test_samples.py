"""The sample evidence is the same each time, and its hidden word is nowhere but in pixels."""

from deedbox_checkout.samples import HIDDEN_WORD, make_samples


def test_the_same_files_come_out_each_time(tmp_path):
    folders = (tmp_path / "one", tmp_path / "other")
    for folder in folders:
        folder.mkdir()
    one, other = (make_samples(folder, large_mb=2) for folder in folders)
    assert one.hidden_word == HIDDEN_WORD
    assert [path.name for path in one.paths] == [path.name for path in other.paths]
    for mine, theirs in zip(one.paths, other.paths, strict=True):
        assert mine.read_bytes() == theirs.read_bytes()


def test_the_hidden_word_is_in_no_byte_and_no_name(tmp_path):
    for path in make_samples(tmp_path, large_mb=1).paths:
        held = path.read_bytes().lower()
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert HIDDEN_WORD.lower().encode(encoding) not in held
        assert HIDDEN_WORD.lower() not in path.name.lower()


def test_names_have_accents_and_spaces_and_the_recording_has_its_size(tmp_path):
    paths = make_samples(tmp_path, large_mb=3).paths
    assert all(" " in path.name and not path.name.isascii() for path in paths)
    assert paths[3].stat().st_size == 3 << 20


def test_the_recording_can_be_left_out(tmp_path):
    assert len(make_samples(tmp_path, large_mb=0).paths) == 3
