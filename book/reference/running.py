"""The room of *Running it*: what each stored result took, and where."""

from __future__ import annotations

from book.shared.page import Text
from book.shared.stored import stored_results
from companion.runner.results import duration


def times() -> list[tuple[str, str, str, str, str, str]]:
    """One row a stored result: experiment, preset, device, seeds, computing time, date."""
    return [
        (
            f"`{result.experiment}`",
            result.preset,
            str(result.provenance["device"]),
            Text(len(result.seeds)),
            duration(result.provenance["seconds"]),
            result.provenance["date"][:10],
        )
        for result in stored_results()
    ]
