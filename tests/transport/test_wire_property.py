"""Whatever the server does and however replies are cut: what it has is what the jobs were told, nothing twice."""

from __future__ import annotations

import ssl
from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import Act, Answer, Cut, Script, ScriptedServer, reply
from wire_doubles import Line, WatchedJob, make_message, open_session, run

from newsletter.mail.message import Message
from newsletter.transport.exchange import Loss, Stage
from newsletter.transport.wire import Extensions

TIMEOUTS = dict.fromkeys(Stage, 0.08)
MOST_CONNECTIONS = 60

ENVELOPE: tuple[Answer, ...] = (
    "450 4.2.0 later",
    "550 5.1.1 unknown",
    reply("250-2.1.0 fine\n250 2.1.0 indeed"),
    reply("421 4.7.0 slow down", close=True),
    reply("421 4.7.0 slow down"),
    reply("550 5.7.1 blocked", close=True),
    Act(close=True),
    Act(say=b"25"),
    Act(say=b"rubbish\r\n"),
)
OPENINGS: tuple[Answer, ...] = (
    "354 go on",
    "451 4.3.0 later",
    "554 5.5.1 no valid recipients",
    "250 what",
    reply("421 4.7.0 slow down", close=True),
    Act(close=True),
)
BODIES: tuple[Answer, ...] = (
    Act(close=True, after=10),
    reply("421 4.3.2 shutting down", close=True),
)
ENDINGS: tuple[Answer, ...] = (
    reply("250-2.0.0 ok\n250 2.0.0 queued as 1F"),
    "450 4.2.0 later",
    "554 5.6.0 spam",
    reply("421 4.3.2 shutting down", close=True),
    reply("250 2.0.0 queued", close=True),
    Act(close=True, takes=True),
    Act(close=True, takes=False),
    Act(say=b"rubbish\r\n", takes=True),
    Act(say=b"25", close=True, takes=True),
    Act(hang=True, takes=True),
)


def plan(answers: tuple[Answer, ...], *, calm: int) -> st.SearchStrategy[list[Answer]]:
    """Answers to the first uses of a command; `calm` usual ones for each odd one."""
    odd = st.sampled_from(answers)
    return st.lists(st.one_of(odd, *[st.none()] * calm), max_size=12)


SCRIPTS = st.builds(
    Script,
    plans=st.fixed_dictionaries(
        {
            "MAIL": plan(ENVELOPE, calm=4),
            "RCPT": plan(ENVELOPE, calm=3),
            "DATA": plan(OPENINGS, calm=3),
            "BODY": plan(BODIES, calm=8),
            ".": plan(ENDINGS, calm=2),
            "lone .": plan(("250 ok", "421 4.3.2 bye", Act(close=True)), calm=2),
            "RSET": plan(("500 5.5.1 no", Act(close=True)), calm=4),
            "QUIT": plan((Act(close=True), Act(say=b"no\r\n")), calm=1),
        }
    ),
    cut=st.sampled_from(Cut),
    seed=st.integers(0, 1000),
)
MODES = st.builds(Extensions, pipelining=st.booleans(), announces_size=st.booleans())


@dataclass(slots=True)
class Story:
    """Everything that jobs were told, one message after the other, until each is settled for good."""

    jobs: list[WatchedJob]

    def add(self, message: Message, *, granted: bool) -> WatchedJob:
        job = WatchedJob(message, granted=granted)
        self.jobs.append(job)
        return job


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one conversation is about.

    Attributes:
        script: how the server behaves.
        mode: what it offered.
        sizes: of each message.
        limit: messages per connection.
        refused: messages whose intent is refused the first time.

    """

    script: Script
    mode: Extensions
    sizes: list[int]
    limit: int
    refused: frozenset[int]


CASES = st.builds(
    Case,
    script=SCRIPTS,
    mode=MODES,
    sizes=st.lists(st.sampled_from([120, 2000, 90_000]), min_size=1, max_size=8),
    limit=st.integers(1, 9),
    refused=st.frozensets(st.integers(0, 7), max_size=2),
)


async def send_all(
    server: ScriptedServer, case: Case, messages: list[Message], tls: ssl.SSLContext | None
) -> Story:
    """Send over one connection after the other; what was refused for now or surely lost is tried again."""
    story = Story([])
    waiting = list(enumerate(messages))
    refused = case.refused
    for _ in range(MOST_CONNECTIONS):
        if not waiting:
            break
        line = [
            (number, story.add(message, granted=number not in refused))
            for number, message in waiting
        ]
        session = await open_session(server.port, case.mode, timeouts=TIMEOUTS, tls=tls)
        await session.run(Line([job for _, job in line]), limit=case.limit)
        refused = frozenset()  # whoever refused an intent grants it the next time
        waiting = [(number, job.message) for number, job in line if again(job)]
    return story


def again(job: WatchedJob) -> bool:
    """Whether the message may go out again: untouched, refused for now, or lost for certain."""
    if job.told is None:
        return True
    event = job.told[1]
    return event.certain if isinstance(event, Loss) else not (event.positive or event.permanent)


def hold(case: Case, certificate: Any = None) -> None:
    """Send everything, and compare what the server has with what the jobs were told."""
    messages = [make_message(number, size=size) for number, size in enumerate(case.sizes)]
    server = ScriptedServer(case.script, implicit_tls=certificate.server() if certificate else None)
    tls = certificate.client() if certificate else None

    async def conversation() -> Story:
        async with server:
            return await send_all(server, case, messages, tls)

    story = run(conversation())
    got = Counter(server.recipients)
    whole = {message.envelope.forward_path: message.data for message in messages}
    assert all(whole[one.recipient] == one.data for one in server.received), "a message is whole"
    assert set(got.values()) <= {1}, f"received twice: {got}"
    told: Counter[str] = Counter()
    for job in story.jobs:
        who = job.message.envelope.forward_path
        told[who] += job.accepted or job.in_doubt
        if job.accepted:
            assert got[who] == 1, f"{who} was told {job.told}, but the server has nothing"
    assert set(told.values()) <= {0, 1}
    assert all(told[who] for who in got), "a message that is neither accepted nor in doubt"


SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@settings(SLOW, max_examples=80)
@given(CASES)
def test_what_the_server_has_is_what_the_jobs_were_told(case: Case) -> None:
    hold(case)


@settings(SLOW, max_examples=25)
@given(CASES)
def test_the_same_over_tls(certificate: Any, case: Case) -> None:
    hold(case, certificate)
