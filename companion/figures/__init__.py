"""Drawing: functions from rows, results and arrays to a `book.shared.style.Picture`."""
