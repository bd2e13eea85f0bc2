"""How the four architectures are called and coloured on every page."""

from book.shared.style import BLUE, GREEN, ORANGE, PURPLE

NAMES = {"sum": "Sum", "linear": "Linear", "2-layer": "2-layer", "cross-channel": "Cross-channel"}
COLOURS = {"sum": BLUE, "linear": GREEN, "2-layer": PURPLE, "cross-channel": ORANGE}
