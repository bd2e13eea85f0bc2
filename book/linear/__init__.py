"""Rooms of the part *A model you can solve*, each beside its page."""
