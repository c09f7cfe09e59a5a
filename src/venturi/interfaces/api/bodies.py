"""Bodies of requests within limits: how large one may be, how slowly it may come.

What bounds headers and connections is the server's affair (``adapters.server``).
"""

import asyncio

from litestar.types import HTTPReceiveMessage, HTTPScope, Receive

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.errors import InvalidRequestError, RequestTimedOutError, RequestTooLargeError


class BoundedBody:
    """The body of one request as it arrives; raises when it is too large or too slow."""

    def __init__(self, receive: Receive, limits: Limits, *, announced: bool = True) -> None:
        """Bound what ``receive`` gives, from now on; of a request that ``announced`` no body, there is nothing to bound."""
        self._receive = receive
        self._limits = limits
        self._octets = 0
        self._ended = not announced
        self._deadline = asyncio.get_running_loop().time() + limits.body_seconds

    async def receive(self) -> HTTPReceiveMessage:
        """Give the next part; raise ``RequestTooLargeError``, ``RequestTimedOutError``, or ``InvalidRequestError`` if none will come."""
        if self._ended:
            return await self._receive()  # type: ignore[return-value] # what is left is the end of the connection
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError as error:
            sentence = f"the body did not arrive within {self._limits.body_seconds:g} seconds"
            raise RequestTimedOutError(sentence) from error
        if message["type"] == "http.disconnect":
            sentence = "the client went away before the end of its request"
            raise InvalidRequestError(sentence)
        if message["type"] == "http.request":
            self._octets += len(message.get("body", b""))
            self._ended = not message.get("more_body", False)
            if self._octets > self._limits.body_octets:
                raise body_too_large(self._limits)
        return message  # type: ignore[return-value] # no WebSocket gets here


def check_declared_size(scope: HTTPScope, limits: Limits) -> None:
    """Raise ``RequestTooLargeError`` if the header announces a body that is too large."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > limits.body_octets:
        raise body_too_large(limits)


def announces_body(scope: HTTPScope) -> bool:
    """Tell whether the header says that a body follows."""
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


def body_too_large(limits: Limits) -> RequestTooLargeError:
    """Make the error that says how large a body may be."""
    return RequestTooLargeError(f"the body is larger than {limits.body_octets} octets")
