"""What every picture promises, and made-up results to draw it from."""

import xml.etree.ElementTree as ET

from companion.experiments import experiment
from companion.runner import results


def checked(picture):
    """The picture, once it is well-formed and named by its words."""
    root = ET.fromstring(picture.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == picture.alt
    return picture


def made(name, by, rows):
    """A result of two seeds with these rows, at the settings of the preset "cpu"."""
    settings = {**vars(experiment(name).presets["cpu"])}
    return results.Result(name, "cpu", settings, [0, 1], tuple(by), rows, results.summarise(rows, by), {})


def twice(cells, values):
    """Rows of two seeds: the cells, with the numbers that `values` gives for cell and seed."""
    return [{**cell, "seed": seed, **values(cell, seed)} for cell in cells for seed in (0, 1)]
