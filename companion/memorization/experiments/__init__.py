"""Experiments of the dispute; each module holds one `EXPERIMENT`."""
