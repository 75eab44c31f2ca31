"""The usual aiosmtplib way: an EmailMessage per recipient, send_message(), as many connections as asked for.

Usage: aiosmtplib_usual.py PORT CONNECTIONS COUNT FOLDER, where FOLDER is what `newsletter render` wrote
"""

from __future__ import annotations

import asyncio
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import aiosmtplib


def build(number: int, text: str, html: str, images: dict[str, bytes]) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "预训练周刊 <weekly@example.org>"
    message["To"] = f"读者{number} <user{number:07d}@example.com>"
    message["Subject"] = "预训练周刊 No.64"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    body = message.get_payload()[1]
    for name, data in images.items():
        body.add_related(data, maintype="image", subtype="png", cid=f"<{name}>")
    return message


async def worker(
    port: int, numbers: list[int], text: str, html: str, images: dict[str, bytes]
) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for number in numbers:
            await client.send_message(build(number, text, html, images))


async def main() -> None:
    port, connections, count = map(int, sys.argv[1:4])
    folder = Path(sys.argv[4])
    text = (folder / "064.txt").read_text(encoding="utf-8")
    html = (folder / "064.html").read_text(encoding="utf-8").replace("images/", "cid:")
    images = {path.name: path.read_bytes() for path in (folder / "images").iterdir()}
    numbers = list(range(count))
    started = time.perf_counter()
    await asyncio.gather(
        *(
            worker(port, numbers[first::connections], text, html, images)
            for first in range(connections)
        )
    )
    print(count / (time.perf_counter() - started))


asyncio.run(main())
