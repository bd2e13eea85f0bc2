"""Bounds and exact expectations of the linear part, one function for one statement.

Functions take frequencies ``p`` (a (d,) array, non-increasing where a statement needs it) and sizes, not models or
samples, and return plain floats or arrays. What only the chapters state and check is in `book.linear.formulas`.
"""
