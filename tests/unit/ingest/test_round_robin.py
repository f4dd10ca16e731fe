"""The queue in which tenants take turns."""

from services.ingest.domain.round_robin import RoundRobinQueue


def everything(tenant: str, item: object) -> bool:
    return True


def filled(most: int = 100, **items: str) -> RoundRobinQueue[str]:
    queue: RoundRobinQueue[str] = RoundRobinQueue(most)
    for tenant, letters in items.items():
        for letter in letters:
            queue.put(tenant, letter, 0.0)
    return queue


def test_tenants_take_turns_and_each_keeps_its_order() -> None:
    queue = filled(flood="abcdef", quiet="XY")
    assert queue.take(5, everything) == ["a", "X", "b", "Y", "c"]
    assert queue.take(5, everything) == ["d", "e", "f"]
    assert len(queue) == 0
    assert queue.take(5, everything) == []


def test_a_tenant_that_is_not_admitted_delays_no_other_and_is_first_next_time() -> None:
    queue = filled(flood="abc", quiet="XY")
    assert queue.take(5, lambda tenant, item: tenant != "flood") == ["X", "Y"]
    queue.put("quiet", "Z", 0.0)
    assert queue.take(1, everything) == ["a"]
    assert len(queue) == 3


def test_a_flood_fills_half_of_the_queue_and_leaves_room_for_another_tenant() -> None:
    queue: RoundRobinQueue[int] = RoundRobinQueue(100)
    assert sum(queue.put("flood", number, 0.0) for number in range(1000)) == 50
    assert sum(queue.put("other", number, 0.0) for number in range(1000)) == 25
    assert len(queue) == 75


def test_items_that_have_waited_too_long_are_dropped() -> None:
    queue: RoundRobinQueue[int] = RoundRobinQueue(100)
    for at in range(10):
        queue.put("acme", at, float(at))
    queue.put("other", 0, 0.0)
    assert queue.drop_older(4.0) == 5
    assert len(queue) == 6
    assert queue.take(10, everything) == [4, 5, 6, 7, 8, 9]


def test_a_cleared_queue_is_empty_and_usable() -> None:
    queue = filled(acme="abc")
    queue.clear()
    assert len(queue) == 0
    queue.put("acme", "d", 0.0)
    assert queue.take(2, everything) == ["d"]
