"""The code behind *Memorize, then compose*: an executable companion to Zhou, Ma and Ge (ICLR 2026).

Areas, each importable on its own: `companion.linear` (exact solvers for the sparse linear model),
`companion.neural` (digit-sum networks), `companion.memorization` (scores), `companion.landscape`
(small demonstrations). Importing `companion` loads none of them.
"""

__version__ = "0.1.0"
