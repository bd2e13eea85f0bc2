"""Digit-sum networks: images, triples, models, training. Importing this package does not import torch."""
