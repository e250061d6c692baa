"""What the demo says of outside time is what the verdict says, and no more."""

from deedbox_checkout.outside_words import closing_words

BEFORE, AFTER = "2026-11-20T14:00:09.000000Z", "2026-11-20T13:59:30.000000Z"


def test_a_bracket_is_told_with_who_vouches_for_each_side() -> None:
    told = {"before": BEFORE, "by": "Example TSA", "after": AFTER, "after_by": "drand quicknet, round 7"}
    lines = list(closing_words(told, []))
    assert [proven for proven, _ in lines] == [True, True, False]
    assert "Example TSA had seen the log with all of these files by 2026-11-20 14:00:09 UTC" in lines[0][1]
    assert "after 2026-11-20 13:59:30 UTC" in lines[1][1]


def test_without_an_outsider_it_says_that_all_could_have_been_made_last_night_and_why() -> None:
    told = {"before": None, "by": None, "after": None, "after_by": None}
    lines = list(closing_words(told, ["timestamp.example could not be reached"]))
    assert not any(proven for proven, _ in lines)
    assert "could have made all of this last night" in lines[1][1]
    assert lines[-2][1] == "No time stamp: timestamp.example could not be reached."


def test_a_beginning_alone_is_no_proof_of_an_end() -> None:
    told = {"before": None, "by": None, "after": AFTER, "after_by": "drand quicknet, round 7"}
    lines = [line for _, line in closing_words(told, [])]
    assert "Only its beginning is known" in lines[-2]
