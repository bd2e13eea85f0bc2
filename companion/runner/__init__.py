"""What runs an experiment and keeps its result: `run`, `results`, `repeat`, `backends`, and what an `Experiment` is."""
