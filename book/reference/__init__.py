"""Rooms of the part *Reference*, each beside its page."""
