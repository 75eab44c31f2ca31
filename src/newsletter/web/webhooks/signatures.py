"""Public-key signatures of SNS and SendGrid. The second door to `cryptography`, the extra `webhooks`."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from newsletter.errors import ConfigError

INSTALL = 'the webhooks of SES and SendGrid need the package `cryptography`: pip install "newsletter[webhooks]"'


def require_cryptography() -> None:
    """Make sure that signatures can be verified.

    Raises:
        ConfigError: `cryptography` is not installed.

    """
    try:
        import cryptography.hazmat.primitives.serialization  # noqa: F401
    except ImportError:
        raise ConfigError(INSTALL) from None


def check_public_key(public_key: str) -> None:
    """Make sure that this is the key of an elliptic curve, in base64 of DER.

    Raises:
        ConfigError: it is not.

    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(public_key))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ConfigError("newsletter.yaml: webhooks.sendgrid.public_key is not a verification key")


def verify_ecdsa(public_key: str, signature: str, signed: bytes) -> bool:
    """Whether `signature` (base64 of DER) is ECDSA with SHA-256 over `signed`, by a key as `check_public_key` takes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(base64.b64decode(public_key))
    assert isinstance(key, EllipticCurvePublicKey)
    try:
        key.verify(base64.b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def verify_rsa(
    certificate: bytes, signature: str, signed: bytes, *, version: str, now: float
) -> bool:
    """Whether `signature` (base64) is RSA PKCS #1 v1.5 over `signed`, by the key of a certificate that is valid now.

    Args:
        certificate: in PEM.
        signature: as SNS gives it.
        signed: the octets.
        version: of the signature: `1` for SHA-1, `2` for SHA-256.
        now: seconds since the epoch.

    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    known = {"1": SHA1, "2": SHA256}.get(version)
    try:
        found = x509.load_pem_x509_certificate(certificate)
        key = found.public_key()
        today = datetime.fromtimestamp(now, UTC)
        valid = found.not_valid_before_utc <= today <= found.not_valid_after_utc
        if known is None or not valid or not isinstance(key, RSAPublicKey):
            return False
        key.verify(base64.b64decode(signature, validate=True), signed, PKCS1v15(), known())
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError):
        return False
    return True
