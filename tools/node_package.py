"""Fetches a package of npm that a test needs, once: into a folder of this repository that git ignores.

    python tools/node_package.py vnu-jar 26.9.27

prints the folder that it is unpacked in. The version is named, so that everybody has the same.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from fetching import CannotFetch, kept, run

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "npm"


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

    def pack(where: Path) -> Path:
        program = npm or shutil.which("npm")
        if program is None:
            raise CannotFetch("no npm here: apt-get install npm")
        what = f"{name}@{version}"
        options = ["--silent", "--pack-destination", str(where)]
        run([program, "pack", what, *options], what=f"npm pack {what}", where=where)
        (archive,) = where.glob("*.tgz")
        subprocess.run(["tar", "-xzf", archive, "-C", where], check=True)
        return where / "package"

    return kept(cache / f"{name.replace('/', '+')}-{version}", pack)


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
