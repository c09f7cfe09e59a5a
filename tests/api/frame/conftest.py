"""What tests of the frame may ask for."""

from tests.support.server import server

__all__ = ["server"]
