"""Rooms of the part *Networks*, each beside its page."""
