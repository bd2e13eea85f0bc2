"""One short module for each demonstration of the book's first part.

Every module has a function that takes its settings and a required ``seed`` and returns a dictionary of
plain numbers and arrays; :func:`companion.landscape.seeds.repeat` runs it over several seeds. Nothing here
draws, stores or imports PyTorch.
"""
