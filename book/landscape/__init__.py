"""Rooms of the part *The question*, each beside its page."""
