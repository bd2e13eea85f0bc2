"""Seconds of work: of the processor on the CPU, which other work on the machine disturbs least."""

import time
import timeit


def seconds(call, repeats=1, timer=time.process_time):
    """Least seconds of some repeats, and what the call returned."""
    kept = []
    taken = timeit.repeat(lambda: kept.append(call()), number=1, repeat=repeats, timer=timer)
    return min(taken), kept[-1]


def wall(call, repeats=1):
    """Least wall-clock seconds of some repeats."""
    return seconds(call, repeats, time.perf_counter)[0]
