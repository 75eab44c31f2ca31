"""Fetches a package of npm that a test needs, once: into a folder of this repository that git ignores.

    python tools/node_package.py vnu-jar 26.9.27

prints the folder that it is unpacked in. The version is named, so that everybody has the same.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "npm"
PATIENCE = 300


class CannotFetch(Exception):
    """There is no npm here, or npm could not get the package."""


def fetched(name: str, version: str, *, cache: Path = CACHE, npm: str | None = None) -> Path:
    """The folder with the files of a package; fetched on first use.

    Args:
        name: of the package.
        version: of it, exactly.
        cache: where packages are kept.
        npm: the program, looked for when absent.

    Raises:
        CannotFetch: it is not there and cannot be got.

    """
    folder = cache / f"{name.replace('/', '+')}-{version}"
    if folder.is_dir():
        return folder
    program = npm or shutil.which("npm")
    if program is None:
        raise CannotFetch("no npm here: apt-get install npm")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        _pack(program, f"{name}@{version}", Path(made))
        (archive,) = Path(made).glob("*.tgz")
        subprocess.run(["tar", "-xzf", archive, "-C", made], check=True)
        try:
            Path(made, "package").rename(folder)
        except OSError:
            if not folder.is_dir():  # somebody else was faster
                raise
    return folder


def _pack(program: str, what: str, where: Path) -> None:
    try:
        done = subprocess.run(
            [program, "pack", what, "--silent", "--pack-destination", str(where)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=where,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotFetch(f"npm pack {what}: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CannotFetch(f"npm pack {what}: {said[0] if said else done.returncode}")


def main() -> int:
    """Fetch what the command line names and print where it is."""
    if len(sys.argv) != 3:
        print("usage: node_package.py NAME VERSION", file=sys.stderr)
        return 2
    try:
        print(fetched(sys.argv[1], sys.argv[2]))
    except CannotFetch as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
