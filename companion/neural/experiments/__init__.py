"""Experiments of this area: one module each, every one with a module-level `EXPERIMENT`."""
