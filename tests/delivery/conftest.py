"""What tests of delivery may ask for."""

from tests.support.server import server

__all__ = ["server"]
