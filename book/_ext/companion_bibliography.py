"""What the bibliography page says of itself: the entries with a field that no public record confirmed."""

from sphinx.util.docutils import SphinxDirective


class Unconfirmed(SphinxDirective):
    """A sentence with the count, and each entry with the fields that its `unverified` field names."""

    def run(self):
        entries = self.env.get_domain("cite").bibdata.data.entries
        found = [entry.fields for entry in entries.values() if "unverified" in entry.fields]
        lines = [f"{len(found)} of {len(entries)} entries have a field that no public record confirmed:", ""]
        lines += [
            f"- *{fields['title'].translate(str.maketrans('', '', '{}'))}*: {fields['unverified']}" for fields in found
        ]
        return self.parse_text_to_nodes("\n".join(lines))
