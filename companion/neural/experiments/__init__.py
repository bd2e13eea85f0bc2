"""The neural experiments: one module each, found by name through `companion.registry`."""
