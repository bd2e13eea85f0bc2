"""Which experiments there are. Names lead to modules that load only when asked: listing them is instant."""

from __future__ import annotations

import importlib

from companion.experiment import Experiment

# name -> (module, what it shows)
EXPERIMENTS: dict[str, tuple[str, str]] = {
    "figure1": (
        "companion.linear.experiments.figure1",
        "the paper's Figure 1: errors and losses along alpha",
    ),
    "rate": ("companion.linear.experiments.rate", "noiseless risk against n over four decades"),
    "noise": ("companion.linear.experiments.noise", "what label noise does, term by term, along alpha"),
    "forgetting": (
        "companion.linear.experiments.forgetting",
        "ridge and early stopping as the knob of memorization: the linear twin of Table 1",
    ),
    "recovery": (
        "companion.linear.experiments.recovery",
        "which seen features are recovered at the paper's size, along alpha",
    ),
    "density": (
        "companion.linear.experiments.density",
        "peeling from nothing against the scalar equation Q = F(Q), n from 10^3 to 10^6",
    ),
    "phase": (
        "companion.linear.experiments.phase",
        "peeling against rank as rows get fuller, at the paper's size",
    ),
    "scale": (
        "companion.linear.experiments.scale",
        "seconds to solve at n up to a million, against an iterative solver",
    ),
    "table1": (
        "companion.neural.experiments.table1",
        "the paper's Table 1: composition of two one-shot images",
    ),
    "fullsize": (
        "companion.neural.experiments.fullsize",
        "three runs of Table 1 at the paper's size, as many epochs as two cores can afford",
    ),
    "figure2": (
        "companion.neural.experiments.figure2",
        "the paper's Figure 2: unseen '9's against how often '9' occurs in training",
    ),
    "slots": (
        "companion.neural.experiments.slots",
        "one encoder or three, glyphs in the same or in other channels",
    ),
    "decay": (
        "companion.neural.experiments.decay",
        "memorization as a dial: losses along weight decay",
    ),
    "epochs": (
        "companion.neural.experiments.epochs",
        "when a one-shot image is learned: losses along training",
    ),
    "measured": (
        "companion.neural.experiments.measured",
        "memorization scores of the one-shot images",
    ),
    "hurts": (
        "companion.neural.experiments.hurts",
        "when memorization hurts: wrong label, bound pair, product, xor",
    ),
    "mixing": (
        "companion.neural.experiments.mixing",
        "composition against the depth at which the images first meet",
    ),
    "removal-map": (
        "companion.memorization.experiments.removal_map",
        "removing memorized points along tail weight and label noise",
    ),
    "sampling-rate": (
        "companion.memorization.experiments.sampling_rate",
        "bias and error of memorization scores along the sampling rate",
    ),
    "planted": (
        "companion.memorization.experiments.planted",
        "which planted digits absolute and fractional scores single out",
    ),
    "image-removal": (
        "companion.memorization.experiments.image_removal",
        "removing memorized images from balanced and long-tailed MNIST",
    ),
    "composition-removal": (
        "companion.memorization.experiments.composition_removal",
        "removing memorized rows of the linear model: average loss against composition",
    ),
    "real-scores": (
        "companion.memorization.experiments.real_scores",
        "memorization and influence scores on MNIST",
    ),
}


def experiment(name: str) -> Experiment:
    """The experiment called `name`; ValueError that lists the known ones otherwise."""
    if not isinstance(name, str) or name not in EXPERIMENTS:
        raise ValueError(f"experiment must be one of {', '.join(EXPERIMENTS)}; got {name!r}")
    return importlib.import_module(EXPERIMENTS[name][0]).EXPERIMENT
