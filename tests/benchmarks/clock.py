"""Seconds of work: of the processor on the CPU, which other work on the machine disturbs least."""

import statistics
import time
import timeit


def seconds(call, repeats=1, timer=time.process_time):
    """Least seconds of some repeats, and what the call returned."""
    kept = []
    taken = timeit.repeat(lambda: kept.append(call()), number=1, repeat=repeats, timer=timer)
    return min(taken), kept[-1]


def by_turns(first, second, turns, calls):
    """Median seconds of each of two calls that take turns; a turn is some calls in a row, of which the least counts.

    Other work on the machine then meets both alike, and neither pays for finding the caches full of the other's data.
    """
    taken = [[seconds(call, calls)[0] for call in (first, second)] for _ in range(turns)]
    return tuple(statistics.median(times) for times in zip(*taken, strict=True))


def wall(call, repeats=1):
    """Least wall-clock seconds of some repeats."""
    return seconds(call, repeats, time.perf_counter)[0]
