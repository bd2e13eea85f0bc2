"""Rooms of the part *Beyond sums*, each beside its page."""
