"""Rooms of the part *Limits*, each beside its page."""
