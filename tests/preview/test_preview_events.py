"""Events to open pages."""

from __future__ import annotations

import asyncio
import json

from newsletter.preview.events import Hub, event


def _data(message: str) -> dict[str, object]:
    line = next(line for line in message.splitlines() if line.startswith("data: "))
    told = json.loads(line.removeprefix("data: "))
    assert isinstance(told, dict)
    return told


def test_an_event_is_one_line_of_data() -> None:
    told = event("change", {"text": "两行\n字"})
    assert told == 'event: change\ndata: {"text": "两行\\n字"}\n\n'


def test_a_listener_hears_the_version_and_then_each_change() -> None:
    async def run() -> list[str]:
        hub = Hub()
        hub.publish(["before.yaml"])
        stream = hub.stream()
        heard = [await anext(stream)]
        hub.publish({"content/7.yaml", "a.css"})
        hub.publish(())
        heard += [await anext(stream), await anext(stream)]
        await stream.aclose()
        return heard

    hello, first, second = asyncio.run(run())
    assert hello.startswith("retry: 500\n\nevent: hello\n")
    assert _data(hello) == {"version": 1}
    assert _data(first) == {"version": 2, "paths": ["a.css", "content/7.yaml"]}
    assert _data(second) == {"version": 3, "paths": []}


def test_silence_is_broken_by_comments() -> None:
    async def run() -> list[str]:
        stream = Hub().stream(ping=0.01)
        heard = [await anext(stream) for _ in range(3)]
        await stream.aclose()
        return heard

    assert asyncio.run(run())[1:] == [": ping\n\n", ": ping\n\n"]


def test_every_listener_hears_and_one_that_left_is_forgotten() -> None:
    async def run() -> tuple[str, str]:
        hub = Hub()
        first, second, left = hub.stream(), hub.stream(), hub.stream()
        for stream in (first, second, left):
            await anext(stream)
        await left.aclose()
        hub.publish(["x"])
        heard = await anext(first), await anext(second)
        for stream in (first, second):
            await stream.aclose()
        return heard

    first, second = asyncio.run(run())
    assert first == second


def test_closing_ends_every_stream_now_and_later() -> None:
    async def run() -> list[list[str]]:
        hub = Hub()
        stream = hub.stream()
        await anext(stream)
        hub.close()
        rest = [message async for message in stream]
        late = [message async for message in hub.stream()]
        return [rest, late]

    rest, late = asyncio.run(run())
    assert rest == []
    assert len(late) == 1
