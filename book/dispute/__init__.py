"""Rooms of the part *The dispute*, each beside its page."""
