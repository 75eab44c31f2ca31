"""Fetches the source distribution of a locked package that a test reads, once: into a folder that git ignores.

    python tools/python_sdist.py flufl.bounce

prints the folder that it is unpacked in. Version and digests are those of requirements/dev.txt, so the sources are of
what is installed here, and pip refuses an archive that is any other. Nothing of it is run but its build file.
"""

from __future__ import annotations

import re
import sys
import tarfile
from pathlib import Path

from fetching import CannotFetch, kept, run

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "python"
LOCK = ROOT / "requirements" / "dev.txt"

# The build tool is in the environment; pip would fetch another one for each package.
DOWNLOAD = (
    *("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"),
    *("--no-deps", "--no-binary=:all:", "--no-build-isolation"),
)


def fetched(name: str, *, cache: Path = CACHE, lock: Path = LOCK) -> Path:
    """The folder with the sources of a package; fetched on first use.

    Args:
        name: of the package, as pyproject.toml spells it.
        cache: where sources are kept.
        lock: requirements with hashes.

    Raises:
        CannotFetch: it is not there and cannot be got.

    """
    pinned = _pinned(name, lock)
    what = pinned.split()[0]

    def download(where: Path) -> Path:
        wanted = where / "wanted.txt"
        wanted.write_text(f"{pinned}\n", "utf-8")
        places = ["--requirement", str(wanted), "--dest", str(where)]
        command = [sys.executable, *DOWNLOAD, *places]
        run(command, what=f"pip download {what}", where=where)
        (archive,) = where.glob("*.tar.gz")
        unpacked = where / "unpacked"
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
        (top,) = unpacked.iterdir()
        return top

    return kept(cache / what.replace("==", "-"), download)


def _pinned(name: str, lock: Path) -> str:
    """The requirement of a package with its hashes, in one line."""
    normal = re.sub(r"[-_.]+", "-", name).lower()
    entry = re.compile(
        rf"^{re.escape(normal)}==[^\s]+(?: \\\n +--hash=sha256:[0-9a-f]{{64}})+", re.MULTILINE
    )
    found = entry.search(lock.read_text("utf-8"))
    if found is None:
        raise CannotFetch(f"{lock.name} has no {normal} with hashes")
    return " ".join(found[0].replace("\\\n", " ").split())


def main() -> int:
    """Fetch what the command line names and print where it is."""
    if len(sys.argv) != 2:
        print("usage: python_sdist.py NAME", file=sys.stderr)
        return 2
    try:
        print(fetched(sys.argv[1]))
    except CannotFetch as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
