"""The window of a consumer group: bounded, shared by tenants, as fast as the group, and never closed for long."""

from services.ingest.domain.window import BACKLOG, FORGET_AFTER, SECONDS, UNLIMITED, Window


class Group:
    """A window, and the records that are published into one partition under it."""

    def __init__(self, least: int = 100) -> None:
        self.window = Window(least)
        self.window.committed({0: 0}, 0.0)
        self.offset = 0

    def publish(self, holder: str, units: int = 1, now: float = 0.0) -> bool:
        if not self.window.admits(holder, units):
            return False
        self.window.take(holder, units)
        self.window.sent(0, self.offset, holder, units, now)
        self.offset += 1
        return True

    def flood(self, holder: str, now: float = 0.0) -> int:
        """Publish until refused; how many events were admitted."""
        return next(n for n in range(10_000) if not self.publish(holder, now=now))


def test_a_window_whose_group_is_unknown_admits_everything() -> None:
    window = Window(10)
    window.take("acme", 1000)
    assert window.admits("acme", 1000)
    assert window.backlog_room() == UNLIMITED


def test_a_flood_gets_half_of_the_window_and_leaves_the_other_half_to_others() -> None:
    group = Group()
    assert group.flood("flood") == 50
    assert group.flood("other") == 25


def test_beside_many_floods_a_tenant_with_nothing_under_way_may_publish_and_the_window_is_hardly_exceeded() -> None:
    group = Group()
    for number in range(50):
        group.flood(f"flood-{number}")
    assert group.publish("quiet")
    assert group.window.held <= 100 + 50 + 1


def test_an_event_larger_than_the_window_is_admitted_when_its_tenant_has_nothing_under_way() -> None:
    group = Group()
    assert group.publish("acme", 5000)
    assert not group.publish("acme", 1)
    assert group.publish("other", 1)


def test_the_backlog_gets_half_of_the_window_and_live_events_have_room_beside_it() -> None:
    group = Group()
    assert group.window.backlog_room() == 50
    assert group.publish(BACKLOG, 50)
    assert group.window.backlog_room() == 0
    assert group.flood("live") == 25


def test_the_backlog_has_no_room_while_only_a_few_units_are_free() -> None:
    group = Group()
    group.publish(BACKLOG, 45)
    assert group.window.backlog_room() == 0


def test_units_are_free_again_once_the_group_has_committed_them() -> None:
    group = Group()
    group.flood("flood")
    group.window.committed({0: 30}, 1.0)
    assert group.window.held == 20
    assert group.flood("flood", now=1.0) == 30


def test_a_partition_that_lags_keeps_its_units() -> None:
    window = Window(100)
    window.committed({0: 0, 1: 0}, 0.0)
    for partition in (0, 1):
        window.take("acme", 10)
        window.sent(partition, 7, "acme", 10, 0.0)
    window.committed({0: 8, 1: 7}, 0.1)
    assert window.held == 10
    assert window.partitions == {1}


def test_the_window_grows_with_the_speed_of_its_group_and_shrinks_when_it_is_idle() -> None:
    """A group that commits everything until the next poll is not slowed down."""
    group = Group()
    limits = []
    for poll in range(1, 60):
        group.flood("flood", now=poll / 10)
        group.window.committed({0: group.offset}, poll / 10)
        limits.append(group.window.limit)
    assert limits[-1] > 10 * limits[0]
    group.window.committed({0: group.offset}, 100.0)
    assert group.window.limit == 100


def test_the_records_before_a_new_event_are_half_a_second_of_the_groups_work() -> None:
    """Poll ten times a second a group that processes 50,000 units a second, while one tenant floods."""
    group, done = Group(), 0
    for poll in range(1, 200):
        group.flood("flood", now=poll / 10)
        done = min(group.offset, done + 5_000)
        group.window.committed({0: done}, poll / 10)
    assert group.window.held <= SECONDS * 50_000


def test_a_group_that_is_down_slows_publishing_down_and_does_not_stop_it() -> None:
    group = Group()
    published = sum(
        group.flood("flood", now=float(second)) for second in range(100) if not group.window.committed({0: 0}, second)
    )
    assert 100 / FORGET_AFTER * 50 - 50 <= published <= 100 / FORGET_AFTER * 50 + 50


def test_a_window_opens_when_the_offsets_are_no_longer_known() -> None:
    group = Group()
    group.flood("flood")
    group.window.committed(None, 1.0)
    assert group.window.held == 0
    assert group.window.admits("flood", 10_000)


def test_units_that_were_not_published_are_given_back() -> None:
    group = Group()
    group.window.take("acme", 50)
    assert not group.window.admits("acme", 1)
    group.window.give_back("acme", 50)
    assert group.window.held == 0
    assert group.window.admits("acme", 50)
