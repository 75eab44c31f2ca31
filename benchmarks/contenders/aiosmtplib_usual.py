"""The usual aiosmtplib way: an EmailMessage per recipient, send_message(), as many connections as asked for.

Usage: aiosmtplib_usual.py PORT CONNECTIONS COUNT TEXT_FILE HTML_FILE
"""

from __future__ import annotations

import asyncio
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import aiosmtplib


def build(number: int, text: str, html: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "预训练周刊 <weekly@example.org>"
    message["To"] = f"读者{number} <user{number:07d}@example.com>"
    message["Subject"] = "预训练周刊 No.64"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


async def worker(port: int, numbers: list[int], text: str, html: str) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        for number in numbers:
            await client.send_message(build(number, text, html))


async def main() -> None:
    port, connections, count = map(int, sys.argv[1:4])
    text = Path(sys.argv[4]).read_text(encoding="utf-8")
    html = Path(sys.argv[5]).read_text(encoding="utf-8")
    numbers = list(range(count))
    started = time.perf_counter()
    await asyncio.gather(
        *(worker(port, numbers[first::connections], text, html) for first in range(connections))
    )
    print(count / (time.perf_counter() - started))


asyncio.run(main())
