"""Pieces compressed once join to one gzip stream, whatever they hold."""

import gzip

from hypothesis import given
from hypothesis import strategies as st

from venturi.services.control.planning.pieces import deflate, gzip_stream, plain_stream

TEXTS = st.lists(st.lists(st.binary(max_size=300), max_size=4), max_size=5)


@given(TEXTS)
def test_pieces_join(texts: list[list[bytes]]) -> None:
    pieces = [deflate(parts) for parts in texts]
    whole = b"".join(b"".join(parts) for parts in texts)
    assert gzip.decompress(b"".join(gzip_stream(pieces))) == whole
    assert b"".join(plain_stream(pieces)) == whole


def test_a_long_text_is_given_in_chunks() -> None:
    text = b"0123456789" * 100_000
    chunks = list(plain_stream([deflate([text])], chunk=4096))
    assert b"".join(chunks) == text
    assert max(map(len, chunks)) <= 4096
