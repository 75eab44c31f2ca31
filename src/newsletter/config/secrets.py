"""Secrets: from the environment, or from a file that only its owner can read; never from newsletter.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from newsletter.errors import ConfigError


def read_secret(
    variable: str, file: Path | None, *, root: Path, environ: Mapping[str, str], missing: str
) -> str:
    """A password or a key.

    Args:
        variable: of the environment; an empty one counts as unset.
        file: a file with mode 0600, as the settings name it; surrounding white space is not part of the secret.
        root: the publication's folder.
        environ: such as `os.environ`.
        missing: what to say when there is neither.

    Raises:
        ConfigError: there is none, others can read the file, or it cannot be read.

    """
    if secret := environ.get(variable):
        return secret
    if file is None:
        raise ConfigError(missing)
    path = root / file.expanduser()
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{file}: others can read the password; run: chmod 600 {file}")
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: the password in it is not UTF-8 text") from None
    if not secret:
        raise ConfigError(f"{file}: there is no password in it")
    return secret
