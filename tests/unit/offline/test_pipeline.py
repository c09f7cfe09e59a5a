"""The pipeline keeps order, hands on errors, and stops."""

import itertools
from collections.abc import Iterator

import pytest

from venturi.core.domain.errors import UnreadableFileError
from venturi.services.offline.pipeline import Pipeline


def test_order_is_kept() -> None:
    """Everything that is produced arrives, in order."""
    assert list(Pipeline(iter(range(1000)))) == list(range(1000))


def test_an_error_of_the_producer_is_raised_to_the_consumer() -> None:
    """What came before the error arrives first."""

    def produce() -> Iterator[int]:
        yield 1
        message = "gone"
        raise UnreadableFileError(message)

    values = iter(Pipeline(produce()))
    assert next(values) == 1
    with pytest.raises(UnreadableFileError, match="gone"):
        next(values)


def test_stop_ends_an_endless_producer() -> None:
    """After ``stop`` the thread is gone and its producer closed."""
    produced: list[int] = []

    def produce() -> Iterator[int]:
        for number in itertools.count():
            produced.append(number)
            yield number

    pipeline = Pipeline(produce())
    assert list(itertools.islice(pipeline, 5)) == [0, 1, 2, 3, 4]
    pipeline.stop()
    count = len(produced)
    assert count < 20
    pipeline.stop()
    assert len(produced) == count
