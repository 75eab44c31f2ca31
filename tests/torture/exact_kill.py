"""Runs a command and kills it exactly at its k-th durable commit or its k-th network write.

    python exact_kill.py REPORT commit|write K before|after|never -- COMMAND …

A ptrace(2) tracer, in a process of its own. `strace -f -e inject=fdatasync:signal=KILL:when=k` comes close, but strace
counts for each thread by itself, so that the first commits of the recorder's thread hide behind those of the main
thread and would never be hit; and it can kill before a call only. Here calls of all threads are counted together,
told apart by what they write to, and the process dies

* `before`: at the entry of the call. A SIGKILL that is pending there makes the kernel skip the call (seccomp(2)).
* `after`: at its exit: the call has taken effect, and nobody was told.

A commit is an fsync or fdatasync of the ledger's write-ahead log; a network write is any call that writes to a TCP
socket (asyncio also wakes itself over a socket pair, which is not counted). A seccomp filter stops the process at
these calls only, so that it runs at nearly full speed.

The report also says how much of the log was on storage for sure at the end (`synced`, octets, or null for all of it):
cutting the rest off is what a power loss may do to it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import signal
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path

LOG_SUFFIX = "-wal"

# <linux/ptrace.h>
SEIZE, CONT, SYSCALL, LISTEN, GET_SYSCALL_INFO = 0x4206, 7, 24, 0x4208, 0x420E
TRACE_SYSGOOD, TRACE_FORK, TRACE_VFORK, TRACE_CLONE = 0x01, 0x02, 0x04, 0x08
TRACE_SECCOMP, EXIT_KILL = 0x80, 0x100000
EVENT_SECCOMP, EVENT_STOP = 7, 128
ALL_THREADS = 0x40000000  # __WALL of waitpid(2)

# Numbers of write, writev, pwrite64, fsync, fdatasync, sendto, sendmsg.
NUMBERS = {
    "x86_64": {1: "write", 20: "writev", 18: "pwrite64", 74: "fsync", 75: "fdatasync"}
    | {44: "sendto", 46: "sendmsg"},
    "aarch64": {64: "write", 66: "writev", 68: "pwrite64", 82: "fsync", 83: "fdatasync"}
    | {206: "sendto", 211: "sendmsg"},
}
SENDING = frozenset({"write", "writev", "sendto", "sendmsg"})
SYNCING = frozenset({"fsync", "fdatasync"})

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
libc.ptrace.restype = ctypes.c_long


class _Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_char_p))


@dataclass(slots=True, kw_only=True)
class Report:
    """What happened.

    Attributes:
        killed: whether the point was reached.
        status: the exit code, or minus the signal.
        commits, writes: how many there were, the one at which it was killed included.
        log_writes: writes to the write-ahead log, to know that they are seen at all.
        synced: octets of the log that were on storage; None for all.

    """

    killed: bool = False
    status: int = 0
    commits: int = 0
    writes: int = 0
    log_writes: int = 0
    synced: int | None = None


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    """The system call; raises OSError."""
    result: int = libc.ptrace(request, pid, address, data)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def stop_at(numbers: list[int]) -> None:
    """Install a seccomp filter (BPF) that reports these system calls to the tracer and lets all others pass."""
    code = [struct.pack("=HBBI", 0x20, 0, 0, 0)]  # load the number
    for place, number in enumerate(numbers):
        code.append(
            struct.pack("=HBBI", 0x15, len(numbers) - place, 0, number)
        )  # equal: to the end
    code.append(struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000))  # SECCOMP_RET_ALLOW
    code.append(struct.pack("=HBBI", 0x06, 0, 0, 0x7FF00000))  # SECCOMP_RET_TRACE
    program = _Filter(len(code), b"".join(code))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@dataclass(slots=True)
class Tracer:
    """Follows a command and all its threads.

    Args:
        calls: names of the system calls to stop at, by number.
        where: `commit` or `write`.
        when: which of them, from 1.
        edge: `before`, `after`, or `never`.

    """

    calls: dict[int, str]
    where: str
    when: int
    edge: str
    report: Report = field(default_factory=Report)
    pid: int = 0
    _leaving: dict[int, tuple[str, bool]] = field(
        default_factory=dict
    )  # thread: call, kill at its end
    _tcp: dict[str, bool] = field(default_factory=dict)

    def run(self, command: list[str]) -> Report:
        """Start `command`, follow it to its end."""
        ready, go = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(go)
            os.read(ready, 1)
            stop_at(list(self.calls))
            os.execvp(command[0], command)
        options = TRACE_SYSGOOD | TRACE_FORK | TRACE_VFORK | TRACE_CLONE | TRACE_SECCOMP | EXIT_KILL
        try:
            ptrace(SEIZE, self.pid, 0, options)
        except OSError:
            os.kill(self.pid, signal.SIGKILL)
            raise
        os.close(ready)
        os.write(go, b".")
        with contextlib.suppress(ChildProcessError):
            while True:
                self._follow(*os.waitpid(-1, ALL_THREADS))
        return self.report

    def _follow(self, thread: int, status: int) -> None:
        """One change of one thread."""
        if not os.WIFSTOPPED(status):
            if thread == self.pid:
                self.report.status = os.waitstatus_to_exitcode(status)
            return
        event, number = status >> 16, os.WSTOPSIG(status)
        request, passed_on = CONT, 0
        with contextlib.suppress(ProcessLookupError):  # a thread that was killed a moment ago
            if event == EVENT_SECCOMP:
                request = self._enter(thread)
            elif number == signal.SIGTRAP | 0x80:
                self._leave(thread)
            elif event == EVENT_STOP and number in (signal.SIGSTOP, signal.SIGTSTP):
                request = LISTEN
            elif not event:
                passed_on = number
            ptrace(request, thread, 0, passed_on)

    def _enter(self, thread: int) -> int:
        """A thread is about to make one of the calls; returns how it goes on."""
        buffer = ctypes.create_string_buffer(128)
        ptrace(GET_SYSCALL_INFO, thread, 128, ctypes.addressof(buffer))
        number, descriptor, _, _, offset = struct.unpack_from("=5Q", buffer.raw, 24)
        name = self.calls[number]
        path = self._path(thread, descriptor)
        point = ""
        if path.endswith(LOG_SUFFIX):
            if name in SYNCING:
                point = "commit"
            elif name == "pwrite64":
                self._unsynced(offset)
        elif name in SENDING and self._is_tcp(path):
            point = "write"
        if not point:
            return CONT
        hit = self._count(point)
        if hit and self.edge == "before":
            self._kill()
            return CONT
        self._leaving[thread] = point, hit and self.edge == "after"
        return SYSCALL

    def _leave(self, thread: int) -> None:
        """The call has been made."""
        point, hit = self._leaving.pop(thread)
        if point == "commit" and not self.report.killed:
            self.report.synced = None
        if hit:
            self._kill()

    def _count(self, point: str) -> bool:
        report = self.report
        if report.killed:
            return False
        if point == "commit":
            report.commits += 1
        else:
            report.writes += 1
        reached = report.commits if point == "commit" else report.writes
        return point == self.where and reached == self.when

    def _unsynced(self, offset: int) -> None:
        """The log is written to from `offset` on: only what is before it is on storage."""
        report = self.report
        report.log_writes += 1
        report.synced = offset if report.synced is None else min(report.synced, offset)

    def _kill(self) -> None:
        self.report.killed = True
        os.kill(self.pid, signal.SIGKILL)

    def _path(self, thread: int, descriptor: int) -> str:
        try:
            return str(Path(f"/proc/{thread}/fd/{descriptor}").readlink())
        except OSError:
            return ""

    def _is_tcp(self, path: str) -> bool:
        if not path.startswith("socket:["):
            return False
        if path not in self._tcp:
            tables = (Path(f"/proc/{self.pid}/net/{name}") for name in ("tcp", "tcp6"))
            lines = (
                line.split() for t in tables if t.exists() for line in t.read_text().splitlines()
            )
            self._tcp[path] = path[8:-1] in {line[9] for line in lines}
        return self._tcp[path]


def main() -> None:
    """See the top of this file."""
    report, where, when, edge, _, *command = sys.argv[1:]
    calls = NUMBERS[platform.machine()]
    told = Tracer(calls, where, int(when), edge).run(command)
    fields = {name: getattr(told, name) for name in Report.__slots__}
    Path(report).write_text(json.dumps(fields), encoding="ascii")


if __name__ == "__main__":
    main()
