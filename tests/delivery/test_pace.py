"""Pace: rates that are never exceeded, domains that take turns, shares that shrink fast and grow slowly."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.models import Subscriber
from newsletter.delivery.ledger import Claim
from newsletter.delivery.pace import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    POLITE,
    RECOVERY,
    SMALLEST_SHARE,
    Bucket,
    DomainPolicy,
    Pace,
)
from newsletter.mail.address import Address

DOMAIN = "example.org"


def claim(number: int, domain: str = DOMAIN) -> Claim:
    return Claim(number, Subscriber(address=Address(f"r{number}", domain, domain)), 0, None)


def filled(pace: Pace, count: int, *domains: str) -> Pace:
    for number in range(count):
        for domain in domains or (DOMAIN,):
            pace.add(claim(number, domain), now=0.0)
    return pace


def pick(pace: Pace, now: float = 0.0, carried: dict[str, int] | None = None) -> Claim | float:
    return pace.pick({} if carried is None else carried, now=now)


# Buckets


@given(
    st.floats(0.1, 200),
    st.lists(st.floats(0, 3), min_size=1, max_size=200),
    st.floats(1 / 16, 1),
)
def test_a_bucket_never_gives_more_than_its_rate(
    rate: float, steps: list[float], share: float
) -> None:
    bucket = Bucket(rate, now=0.0)
    now, taken = 0.0, 0
    for step in steps:
        now += step
        while not bucket.wait(now, share=share) and taken < 10_000:
            bucket.take()
            taken += 1
        assert taken <= max(1.0, rate) + now * rate * share + 1e-6


@given(st.floats(0.1, 200), st.floats(0, 1000))
def test_a_bucket_is_ready_when_it_says(rate: float, start: float) -> None:
    bucket = Bucket(rate, now=start)
    while not bucket.wait(start):
        bucket.take()
    wait = bucket.wait(start)
    assert bucket.wait(start + wait * 0.5) > 0
    assert bucket.wait(start + wait + 1e-6) == 0


def test_a_clock_that_stands_still_gives_nothing_more() -> None:
    bucket = Bucket(2.0, now=5.0)
    bucket.take()
    bucket.take()
    assert [bucket.wait(5.0) for _ in range(3)] == [0.5] * 3


# The relay as a whole


def test_the_relays_rate_holds_over_all_domains() -> None:
    pace = filled(Pace(connections=99, rate=10.0, domains={}), 100, "a.example", "b.example")
    sent = [
        now for now in (step / 100 for step in range(300)) if isinstance(pick(pace, now), Claim)
    ]
    assert 10 + 25 <= len(sent) <= 10 + 30


def test_without_a_rate_nothing_waits() -> None:
    pace = filled(Pace(connections=4, domains={}), 3)
    assert [pick(pace) for _ in range(3)] == [claim(0), claim(1), claim(2)]
    assert pick(pace) == math.inf


# Domains


def test_domains_take_turns() -> None:
    pace = Pace(connections=10, domains={})
    filled(pace, 3, "a.example", "b.example", "c.example")
    picked = [pick(pace) for _ in range(9)]
    domains = [one.subscriber.address.domain[0] for one in picked if isinstance(one, Claim)]
    assert "".join(domains) == "abc" * 3


def test_a_big_domain_does_not_hold_up_a_small_one() -> None:
    pace = Pace(connections=50, domains={})
    filled(pace, 90, "big.example")
    filled(pace, 1, "small.example")
    first = [pick(pace), pick(pace)]
    assert claim(0, "small.example") in first


def test_a_domain_waits_until_something_is_settled() -> None:
    pace = filled(Pace(connections=9, domains={DOMAIN: DomainPolicy(connections=2)}), 5)
    assert pick(pace) == claim(0)
    assert pick(pace) == claim(1)
    assert pick(pace) == math.inf
    pace.settled(DOMAIN, accepted=True, refused=False, now=0.0)
    assert pick(pace) == claim(2)


def test_a_domain_without_a_policy_may_use_every_connection_twice() -> None:
    pace = filled(Pace(connections=3, domains={}), 20)
    picked = [pick(pace) for _ in range(7)]
    assert picked[:6] == [claim(number) for number in range(6)]
    assert picked[6] == math.inf


def test_a_connection_carries_so_many_of_a_domain() -> None:
    policy = {DOMAIN: DomainPolicy(messages_per_connection=2)}
    pace = filled(Pace(connections=9, domains=policy), 5)
    carried: dict[str, int] = {}
    assert pick(pace, carried=carried) == claim(0)
    assert pick(pace, carried=carried) == claim(1)
    assert pick(pace, carried=carried) == -1.0
    assert carried == {DOMAIN: 2}
    filled(pace, 1, "other.example")
    assert pick(pace, carried=carried) == claim(0, "other.example"), "others may still ride"
    assert pick(pace, carried={}) == claim(2)


def test_a_domains_rate() -> None:
    pace = filled(Pace(connections=99, domains={DOMAIN: DomainPolicy(rate=120.0)}), 50)
    sent = [
        now for now in (step / 100 for step in range(1000)) if isinstance(pick(pace, now), Claim)
    ]
    assert 19 <= len(sent) <= 2 + 20


# Refusals


def test_a_refusal_pauses_the_domain_and_gives_its_entries_back() -> None:
    pace = filled(Pace(connections=4, domains={}), 5, DOMAIN, "other.example")
    pick(pace)
    pick(pace)
    back = pace.settled(DOMAIN, accepted=False, refused=True, now=10.0)
    assert back == [claim(number) for number in range(1, 5)]
    assert pace.held == 4
    lane = pace.lane(DOMAIN, now=10.0)
    assert lane.paused_until == 10.0 + FIRST_PAUSE
    assert pick(pace, 10.0) == claim(1, "other.example")
    pace.add(claim(9), now=10.0)
    for number in range(2, 5):
        assert pick(pace, 10.0) == claim(number, "other.example")
    assert pick(pace, 10.0) == FIRST_PAUSE
    assert pick(pace, 10.0 + FIRST_PAUSE) == claim(9)


def test_several_refusals_at_once_are_one() -> None:
    pace = filled(Pace(connections=4, domains={}), 5)
    for _ in range(4):
        pick(pace)
    for _ in range(4):
        pace.settled(DOMAIN, accepted=False, refused=True, now=1.0)
    lane = pace.lane(DOMAIN, now=1.0)
    assert (lane.share, lane.paused_until) == (0.5, 1.0 + FIRST_PAUSE)


def test_pauses_double_and_shares_halve_down_to_a_floor() -> None:
    pace = Pace(connections=4, domains={})
    now, pauses, shares = 0.0, [], []
    for _ in range(9):
        pace.add(claim(0), now=now)
        assert isinstance(pick(pace, now), Claim)
        pace.settled(DOMAIN, accepted=False, refused=True, now=now)
        lane = pace.lane(DOMAIN, now=now)
        pauses.append(lane.paused_until - now)
        shares.append(lane.share)
        now = lane.paused_until
    assert pauses[:5] == [60, 120, 240, 480, 960]
    assert pauses[-1] == LONGEST_PAUSE
    assert shares[:4] == [1 / 2, 1 / 4, 1 / 8, 1 / 16]
    assert shares[-1] == SMALLEST_SHARE


def test_a_share_grows_slowly_and_is_whole_again() -> None:
    pace = filled(Pace(connections=4, domains={}), 1)
    pick(pace)
    pace.settled(DOMAIN, accepted=False, refused=True, now=0.0)
    shares = []
    for number in range(40):
        pace.add(claim(number), now=100.0)
        assert isinstance(pick(pace, 100.0), Claim)
        pace.settled(DOMAIN, accepted=True, refused=False, now=100.0)
        shares.append(pace.lane(DOMAIN, now=100.0).share)
    assert shares[0] == 0.5 + RECOVERY
    assert shares == sorted(shares)
    assert shares[31] == 1.0
    pace.add(claim(0), now=200.0)
    pick(pace, 200.0)
    pace.settled(DOMAIN, accepted=False, refused=True, now=200.0)
    assert pace.lane(DOMAIN, now=200.0).paused_until == 200.0 + FIRST_PAUSE, "forgiven"


def test_a_shrunken_share_means_fewer_at_once() -> None:
    policy = {DOMAIN: DomainPolicy(connections=8)}
    pace = filled(Pace(connections=9, domains=policy), 1)
    pick(pace)
    pace.settled(DOMAIN, accepted=False, refused=True, now=0.0)
    filled(pace, 20)
    at_once = sum(isinstance(pick(pace, 100.0), Claim) for _ in range(20))
    assert at_once == 4


def test_even_the_smallest_share_lets_one_through() -> None:
    policy = {DOMAIN: DomainPolicy(connections=1)}
    pace = filled(Pace(connections=1, domains=policy), 1)
    pick(pace)
    pace.settled(DOMAIN, accepted=False, refused=True, now=0.0)
    filled(pace, 2)
    assert isinstance(pick(pace, 100.0), Claim)
    assert pick(pace, 100.0) == math.inf


# What holds for any run


@given(
    st.lists(st.sampled_from(["a.example", "b.example", "c.example"]), max_size=40),
    st.integers(1, 4),
    st.data(),
)
def test_everything_comes_out_once_and_in_order(
    domains: list[str], connections: int, data: st.DataObject
) -> None:
    policies = {
        "a.example": DomainPolicy(connections=1),
        "b.example": DomainPolicy(rate=600.0, messages_per_connection=3),
    }
    pace = Pace(connections=connections, rate=50.0, domains=policies)
    for number, domain in enumerate(domains):
        pace.add(claim(number, domain), now=0.0)
    now = 0.0
    picked: list[Claim] = []
    under_way: list[str] = []
    carried: dict[str, int] = {}
    for _ in range(2000):
        if not pace.held:
            break
        found = pace.pick(carried, now=now)
        if isinstance(found, Claim):
            picked.append(found)
            under_way.append(found.subscriber.address.domain)
            continue
        if found < 0:
            carried = {}
        elif math.isinf(found):
            assert under_way, "nothing is under way, so nothing would ever wake the waiting"
        else:
            now += found + 1e-6
        if under_way:
            domain = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            pace.settled(domain, accepted=True, refused=False, now=now)
    assert pace.held == 0
    assert sorted(one.id for one in picked) == list(range(len(domains)))
    for domain in set(domains):
        mine = [one.id for one in picked if one.subscriber.address.domain == domain]
        assert mine == sorted(mine)


def test_lanes_of_a_long_list_are_forgotten() -> None:
    pace = Pace(connections=2)
    for number in range(1000):
        pace.add(claim(number, f"d{number}.example"), now=0.0)
        assert isinstance(pick(pace), Claim)
        pace.settled(f"d{number}.example", accepted=True, refused=False, now=0.0)
    assert len(pace._lanes) == 0


def test_the_polite_defaults() -> None:
    wanted = {
        "qq.com": (4, 8),
        "163.com": (4, 7),
        "126.com": (4, 7),
        "gmail.com": (5, 50),
        "outlook.com": (5, 50),
        "hotmail.com": (5, 50),
        "yahoo.com": (5, 20),
    }
    found = {
        domain: (policy.connections, policy.messages_per_connection)
        for domain, policy in POLITE.items()
    }
    assert wanted.items() <= found.items()
    assert Counter(policy.rate for policy in POLITE.values()) == {None: len(POLITE)}


@pytest.mark.parametrize("keep", [0, 2, 5])
def test_withdrawing_keeps_the_first(keep: int) -> None:
    pace = filled(Pace(connections=9, domains={}), 5)
    lane = pace.lane(DOMAIN, now=0.0)
    assert pace.withdraw(lane, keep=keep) == [claim(number) for number in range(keep, 5)]
    assert pace.held == keep
    assert [pick(pace) for _ in range(keep)] == [claim(number) for number in range(keep)]
    assert pick(pace) == math.inf
