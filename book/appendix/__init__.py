"""Rooms of the appendix: proofs, rates, dense rows and the solver behind the chapters on the linear model."""
