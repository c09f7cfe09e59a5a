"""What tests of who may come near the server may ask for."""

from tests.support.server import server

__all__ = ["server"]
