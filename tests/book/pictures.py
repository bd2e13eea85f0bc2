"""What every picture of the book has to be."""

import re
import xml.etree.ElementTree as ET

from book.shared.style import Picture


def well_formed(shown: Picture, *, numbers: bool = True) -> None:
    """Proper XML with something drawn, and a text alternative that holds numbers, none of them unknown."""
    root = ET.fromstring(shown.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == shown.alt
    assert re.search(r"\d", shown.alt) or not numbers, shown.alt
    assert "nan" not in re.findall(r"\w+", shown.alt)
    drawn = [part for part in root.iter() if part.tag.rpartition("}")[2] in ("path", "use", "text", "image", "rect")]
    assert len(drawn) > 8 or len(root.findall(".//{*}image")) == 3, "something is drawn"
