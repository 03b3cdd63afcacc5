"""Progress goes to stderr, and stdout stays free."""

import io
import sys

import pytest

from viral.base.progress import say, stage, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_one_line_a_stage_in_a_log(capsys):
    with stage("encode text") as advance:
        advance()
        advance(1_500, note="ignored")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("encode text: 1,501 done in ") and captured.err.count("\n") == 1


def test_a_stage_without_counts(capsys):
    with stage("split"):
        pass
    assert capsys.readouterr().err.startswith("split: done in ")


def test_a_failed_stage_is_not_done(capsys):
    with pytest.raises(ValueError, match="broken"), stage("encode"):
        raise ValueError("broken")
    assert "done" not in capsys.readouterr().err


def test_track_yields_everything_in_order(capsys):
    assert list(track((n for n in range(3)), "rows")) == [0, 1, 2]
    assert list(track([], "nothing")) == []
    captured = capsys.readouterr()
    assert "rows: 3 done" in captured.err and captured.out == ""


def test_a_bar_in_a_terminal(monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(track(["a", "b"], "pictures")) == ["a", "b"]
    with stage("train", total=4) as advance:
        advance(2, note="valid 0.12")
    shown = terminal.getvalue()
    assert "pictures" in shown and "2/2" in shown and "2/4" in shown and "valid 0.12" in shown
    assert capsys.readouterr().out == ""


def test_say(capsys):
    say("a line")
    assert capsys.readouterr() == ("", "a line\n")
