"""The folders that templates, style sheets and pictures may be read from, and nothing outside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from newsletter.rendering.mistake import Mistake, nearest

PACKAGED_THEME = Path(__file__).resolve().parent.parent / "theme"


def locate(folder: Path, relative: str) -> Path | None:
    """The file at `relative` inside `folder`, with links resolved; None when there is no such file.

    Raises:
        Mistake: the path is absolute, climbs out with `..`, or a link leads out of the folder.

    """
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or "\\" in relative or "\0" in relative:
        raise Mistake(f"`{relative}` is not a path inside {folder.name or 'the folder'}")
    home = folder.resolve()
    try:
        found = (home / path).resolve()
        exists = found.is_file()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "its links go in a circle"
        raise Mistake(f"`{relative:.80}` cannot be opened: {reason}") from None
    if not found.is_relative_to(home):
        raise Mistake(f"`{relative}` leads out of the folder {folder.name}")
    return found if exists else None


@dataclass(frozen=True, slots=True)
class ThemeFolder:
    """One folder of templates and the name it goes by in messages."""

    path: Path
    shown: str

    def files(self) -> Iterator[str]:
        """Names of the template files, relative to the folder, with `/`."""
        if not self.path.is_dir():
            return
        home = self.path.resolve()
        for file in sorted(home.rglob("*")):
            if file.is_file():
                yield file.relative_to(home).as_posix()


@dataclass(frozen=True, slots=True)
class Found:
    """A template file: the name that templates use, where it is, and how a user would type it."""

    name: str
    path: Path
    shown: str


class ThemeFolders:
    """The publication's templates first, then the packaged theme.

    Args:
        folders: in the order of precedence; a missing folder is as good as an empty one.

    """

    def __init__(self, folders: Sequence[ThemeFolder]) -> None:
        self.folders = tuple(folders)
        self.read: set[Path] = set()

    @classmethod
    def of(cls, root: Path, templates: str, *, packaged: Path = PACKAGED_THEME) -> ThemeFolders:
        """The folders of the publication in `root`.

        Raises:
            Mistake: `templates` is not a folder inside `root`.

        """
        path = PurePosixPath(templates)
        own = root / path
        outside = path.is_absolute() or ".." in path.parts
        if outside or not own.resolve().is_relative_to(root.resolve()):
            raise Mistake(f"`templates: {templates}` is not a folder inside the publication")
        shown = path.as_posix().rstrip("/")
        return cls([ThemeFolder(own, shown), ThemeFolder(packaged, "newsletter/theme")])

    def find(self, name: str) -> Found | None:
        """The file that `name` stands for, or None.

        Raises:
            Mistake: the name leads out of the folder.

        """
        for folder in self.folders:
            path = locate(folder.path, name)
            if path is not None:
                return Found(name, path, f"{folder.shown}/{name}")
        return None

    def load(self, name: str) -> tuple[Found, str]:
        """The file that `name` stands for, and its text.

        Raises:
            Mistake: there is no such file, or it is not UTF-8.

        """
        found = self.find(name)
        if found is None:
            raise self.missing(name)
        try:
            text = found.path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise Mistake(f"{found.shown} is not UTF-8 at byte {error.start}") from None
        except OSError as error:
            raise Mistake(f"{found.shown} cannot be read: {error.strerror}") from None
        self.read.add(found.path)
        return found, text

    def missing(self, name: str) -> Mistake:
        """The mistake to raise for a file that no folder has."""
        own = self.folders[0].shown
        path = PurePosixPath(name)
        stem, _, ending = path.name.partition(".")
        stems = [
            other.name.removesuffix(f".{ending}")
            for other in map(PurePosixPath, self.names())
            if other.parent == path.parent and other.name.endswith(f".{ending}")
        ]
        near = nearest(stem, stems)
        found = f"did you mean `{path.with_name(f'{near}.{ending}')}`?" if near else None
        hint = found or f"make {own}/{name}"
        return Mistake(f"there is no {own}/{name}", hint=hint)

    def names(self) -> list[str]:
        """Every file of every folder, once."""
        return sorted({name for folder in self.folders for name in folder.files()})
