from services.gateway.live.cell import Pace


def test_cheap_questions_are_asked_at_most_once_a_pause_and_dear_ones_less_often() -> None:
    pace = Pace(pause=0.05, share=1, longest=2)
    assert pace.rest(0.01) == 0.04
    assert pace.rest(0.04) == 0.04
    assert pace.rest(0.5) == 0.5
    assert pace.rest(30) == 2
