"""What a refused call must look like: the documented exception, one line, argument, value and expectation named."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Bad:
    """A call that must be refused: `error` exactly, with every string of `told` in its message."""

    call: Callable[[], Any]
    error: type[Exception]
    told: tuple[str, ...]


def bad(name: str, call: Callable[[], Any], error: type[Exception], *told: str) -> Any:
    return pytest.param(Bad(call, error, told), id=name)


def assert_refused(case: Bad) -> None:
    with pytest.raises(case.error) as caught:
        case.call()
    message = str(caught.value)
    assert type(caught.value) is case.error, message
    assert "\n" not in message
    for words in case.told:
        assert words in message
