"""No path is printed of a file that is not there."""

from scripts.runs.results import tell_result


def test_what_was_written_is_told_with_its_path(tmp_path, capsys):
    (tmp_path / "encoder.pt").touch()
    tell_result("The encoder", tmp_path / "encoder.pt")
    assert capsys.readouterr().out == f"The encoder: {tmp_path / 'encoder.pt'}\n"


def test_what_was_not_written_is_said_to_be_missing(tmp_path, capsys):
    tell_result("The encoder", tmp_path / "encoder.pt")
    assert capsys.readouterr().out.startswith(f"The encoder is missing: {tmp_path / 'encoder.pt'} was not written")
