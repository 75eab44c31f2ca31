"""DKIM keys: reading, making and signing with them. The one door to `cryptography`, the extra `dkim`.

Nothing here is imported, and `cryptography` need not be installed, where the relay signs.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.config import DkimKey, Publication
from newsletter.errors import ConfigError
from newsletter.mail.dkim import Algorithm, Digester, Tags, signature_field, to_sign

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    PrivateKey = Ed25519PrivateKey | RSAPrivateKey

INSTALL = 'signing needs the package `cryptography`: pip install "newsletter[dkim]"'
NEW_RSA_BITS = 2048
RSA_BITS = range(1024, 4097)  # what every verifier must take (RFC 8301 section 3.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key with what its signatures say of it.

    Attributes:
        tags: algorithm, domain and selector.
        sign: octets to signature; the same octets give the same signature.

    """

    tags: Tags
    sign: Callable[[bytes], bytes] = field(repr=False)


class Signer:
    """Signs messages with one key or several; each makes a signature of its own, in their order."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self.keys = tuple(keys)

    @classmethod
    def load(cls, publication: Publication, *, root: Path) -> Signer | None:
        """The signer that newsletter.yaml asks for; None when it asks for none.

        Args:
            publication: its `dkim` section, and the From address for the domain when none is named.
            root: the folder that relative paths start from.

        Raises:
            ConfigError: `cryptography` is not installed, or a key file is missing, readable by others, or no key.

        """
        if publication.dkim is None:
            return None
        domain = publication.signing_domain
        return cls([_read_key(key, domain=domain, root=root) for key in publication.dkim.keys])

    def seal(self, sample: bytes, *, body_prefix: bytes = b"") -> Seal:
        """Get ready for messages made like `sample`; see `Digester` for what that means."""
        return Seal(self, Digester(sample, body_prefix=body_prefix))


class Seal:
    """Puts signatures on messages that are made alike. Make it with `Signer.seal`."""

    __slots__ = ("_digester", "_keys")

    def __init__(self, signer: Signer, digester: Digester) -> None:
        self._keys = signer.keys
        self._digester = digester

    def fields(self, message: bytes) -> bytes:
        """The DKIM-Signature fields for `message`, each with its CRLF; they go before the others (section 5.6)."""
        digested = self._digester.digest(message)
        signatures = [(key.tags, key.sign(to_sign(digested, key.tags))) for key in self._keys]
        return b"".join([signature_field(digested, tags, made) for tags, made in signatures])


def _read_key(settings: DkimKey, *, domain: str, root: Path) -> SigningKey:
    name = settings.path
    path = root / name.expanduser()
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & 0o077:
                raise ConfigError(f"{name}: others can read this key; run: chmod 600 {name}")
            data = stream.read()
    except OSError as error:
        raise ConfigError(
            f"{name}: the DKIM key cannot be read: {error.strerror}"
            " (`newsletter dkim new` makes one; each machine that sends needs a copy)"
        ) from error
    return signing_key(parse_key(data, where=str(name)), domain=domain, selector=settings.selector)


def parse_key(data: bytes, *, where: str) -> PrivateKey:
    """The private key in a PEM file: PKCS #8 or the traditional form of RSA, without a passphrase.

    Raises:
        ConfigError: `cryptography` is not installed, or the key is none for DKIM; `where` names the file.

    """
    _require_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a passphrase
        raise ConfigError(f"{where}: not a private key in PEM without a passphrase") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(f"{where}: DKIM knows RSA and Ed25519 keys only")
    if key.key_size not in RSA_BITS:
        raise ConfigError(
            f"{where}: an RSA key of {key.key_size} bits; DKIM takes 1024 to 4096, best {NEW_RSA_BITS}"
        )
    return key


def signing_key(key: PrivateKey, *, domain: str, selector: str) -> SigningKey:
    """`key` as what signs for `domain` under `selector`."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    rsa = isinstance(key, RSAPrivateKey)
    algorithm = Algorithm.RSA if rsa else Algorithm.ED25519
    return SigningKey(
        tags=Tags(algorithm=algorithm, domain=domain, selector=selector),
        sign=_rsa(key) if isinstance(key, RSAPrivateKey) else _ed25519(key),
    )


def new_key(algorithm: Algorithm) -> PrivateKey:
    """A new private key; RSA with 2048 bits.

    Raises:
        ConfigError: `cryptography` is not installed.

    """
    _require_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    if algorithm is Algorithm.ED25519:
        return Ed25519PrivateKey.generate()
    return generate_private_key(public_exponent=65537, key_size=NEW_RSA_BITS)


def write_key(key: PrivateKey, path: Path) -> None:
    """Write `key` in PEM (PKCS #8) for its owner only, with the folders that are missing. Never overwrites.

    Raises:
        FileExistsError: there is a file already.

    """
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for folder in reversed([folder for folder in path.parents if not folder.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink()  # half a key would stand in the way of a whole one
        raise


def public_record(key: PrivateKey) -> str:
    """The value of the TXT record for `key` (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        kind, form = "rsa", (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, form = "ed25519", (Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k={kind}; p={b64encode(public.public_bytes(*form)).decode('ascii')}"


def _rsa(key: RSAPrivateKey) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    padding, algorithm = PKCS1v15(), SHA256()
    return lambda data: key.sign(data, padding, algorithm)


def _ed25519(key: Ed25519PrivateKey) -> Callable[[bytes], bytes]:
    return lambda data: key.sign(sha256(data).digest())  # RFC 8463 section 3: of the hash


def _require_cryptography() -> None:
    try:
        import cryptography.hazmat.primitives.serialization  # noqa: F401
    except ImportError:
        raise ConfigError(INSTALL) from None
