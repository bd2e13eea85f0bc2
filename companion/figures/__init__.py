"""Drawing: functions from rows, results and arrays to a `companion.style.Picture`."""
