"""Small worlds of rational numbers, all of them at once: z3 says that none refutes a statement, or names one that does.

Each entry says which worlds it covers, and makes the formula that a refuting world would satisfy, for the statement or,
if `changed`, for its change (the same one as in the hunt).
"""

import z3


def four_corners(changed=False):
    """Any four real errors."""
    e = z3.Reals("e0 e1 e2 e3")
    double = e[0] - e[1] - e[2] + e[3]
    return [sum(x * x for x in e) < double * double / (3 if changed else 4)]


def fractional(changed=False):
    """Any two points with any probabilities."""
    a, b, c, d, least = z3.Reals("a b c d least")
    half = z3.Q(1, 2) if changed else 1
    inside = [least > 0, least <= a, least <= c, a <= 1, c <= 1, b >= 0, b < a, d >= 0, d < c]
    # scores a - b > c - d that the relative ones put the other way round, although they differ by the factor or more
    return [*inside, a - b > c - d, (a - b) * c < (c - d) * a, (a - b) * (1 - half * (1 - least)) >= c - d]


def measured(changed=False):
    """Any row with a once-seen feature beside any other row, any penalty."""
    v, w, product, z = z3.Reals("v w product z")  # |v|^2, |other row|^2, their inner product; the row holds 1 + |v|^2
    inside = [v >= 0, w >= 0, product * product <= v * w, z > 0]
    determinant = (1 + v + z) * (w + z) - product * product
    # h = 1 - z (w + z) / determinant < factor / (1 + z)
    factor = z3.Q(102, 100) if changed else 1
    return [*inside, (determinant - z * (w + z)) * (1 + z) < factor * determinant]


def variance(changed=False):
    """Two models, any share and any two probabilities."""
    r, a, b = z3.Reals("r a b")
    each = r * (1 - r)  # the chance of one model with the point and one without is twice this
    error = (1 - 2 * each) * (a - b) * (a - b) + 2 * each * (a * (1 - a) + b * (1 - b))
    return [r > 0, r < 1, a >= 0, a <= 1, b >= 0, b <= 1, error * 3 * each > z3.Q(1, 4 if changed else 2)]


SOLVED = {
    "prop-four-corners": four_corners,
    "lem-fractional": fractional,
    "prop-measured-memorization": measured,
    "thm-variance": variance,
}


def covered(label):
    """Which worlds z3 was asked about; None for a statement that it was not."""
    return SOLVED[label].__doc__.removesuffix(".").lower() if label in SOLVED else None


def refuting(formula):
    """A world in which the formula holds, as text by name; None if there is none."""
    solver = z3.Solver()
    solver.set("timeout", 60_000)
    solver.add(formula)
    answer = solver.check()
    if answer == z3.unknown:
        raise RuntimeError(f"z3 could not decide: {solver.reason_unknown()}")
    if answer == z3.unsat:
        return None
    model = solver.model()
    return {str(name): str(model[name]) for name in model.decls()}
