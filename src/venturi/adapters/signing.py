"""Keys that sign statements (Ed25519, RFC 8032), and their files in PEM (RFC 7468): the private key as PKCS #8, the public one beside it.

Owns the files, and that a private key is readable for its owner alone. What is signed is for whoever calls.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from venturi.adapters.edges import KEYS_EDGE
from venturi.core.domain.errors import InvalidStatementError, UnknownFormatError, UnreadableFileError
from venturi.core.statements.document import SignaturePart, SignedStatement, digest_of, to_octets

ALGORITHM = "ed25519"
_CONTEXT = b"venturi statement 1\n"
"""What goes before the octets that are signed, so that no signature of anything else is one of a statement."""

_OTHERS = 0o077


@KEYS_EDGE.adapter
class StatementSigner:
    """Signs statements with the key of a file."""

    def __init__(self, path: Path) -> None:
        """Read the key; raises ``UnreadableFileError``, and ``UnknownFormatError`` if there is none in the file or others may read it."""
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & _OTHERS:
                message = f"{path} can be read by others: run chmod 600 {path}"
                raise UnreadableFileError(message)
            octets = stream.read()
        self._key = _load_private(octets, path)
        self._name = name_of(self._key.public_key())

    def sign(self, octets: bytes) -> SignaturePart:
        """Sign the octets of a document."""
        return SignaturePart(algorithm=ALGORITHM, key=self._name, value=self._key.sign(_CONTEXT + octets).hex())


@KEYS_EDGE.function
def make_key(path: Path) -> Path:
    """Make a key: the private one in ``path``, which must not exist, the public one in the file whose name has ``.pub`` behind.

    Gives the path of the public one; raises ``UnreadableFileError``.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    beside = path.with_name(f"{path.name}.pub")
    _write_new(beside, public, 0o644)
    try:
        _write_new(path, private, 0o600)
    except BaseException:
        beside.unlink()
        raise
    return beside


@KEYS_EDGE.function
def check_signature(signed: SignedStatement, path: Path) -> None:
    """Check the signature of a statement with the public key of a file.

    Raises ``InvalidStatementError`` unless it is good, ``UnreadableFileError``, and ``UnknownFormatError`` if the file has no such key.
    """
    key = _load_public(path.read_bytes(), path)
    signature = signed.signature
    if signature is None:
        message = "signature: the statement is not signed"
        raise InvalidStatementError(message)
    if (signature.algorithm, signature.key) != (ALGORITHM, name_of(key)):
        message = f"signature: it is by the key {signature.key} ({signature.algorithm}), and {path} is the key {name_of(key)} ({ALGORITHM})"
        raise InvalidStatementError(message)
    try:
        key.verify(bytes.fromhex(signature.value), _CONTEXT + to_octets(signed.statement))
    except (InvalidSignature, ValueError) as error:
        message = "signature: it is not that of the statement, or not by this key"
        raise InvalidStatementError(message) from error


def name_of(key: Ed25519PublicKey) -> str:
    """Give the name of a key: the SHA-256 of its 32 octets."""
    return digest_of(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))


def _write_new(path: Path, octets: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())


def _load_private(octets: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(octets, password=None)
    except (ValueError, TypeError) as error:
        message = f"{path} holds no private key: make one with venturi statement key FILE"
        raise UnknownFormatError(message) from error
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{path} holds a key of another sort than Ed25519"
        raise UnknownFormatError(message)
    return key


def _load_public(octets: bytes, path: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(octets)
    except (ValueError, TypeError) as error:
        message = f"{path} holds no public key"
        raise UnknownFormatError(message) from error
    if not isinstance(key, Ed25519PublicKey):
        message = f"{path} holds a key of another sort than Ed25519"
        raise UnknownFormatError(message)
    return key
