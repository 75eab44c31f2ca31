"""Lists of people as other tools export them: recognised by their columns, read row by row. Nothing here stores.

with open_export(Path("members.csv")) as export:
    for row in export:  # Incoming, or Reject with the reason
        ...
"""

from newsletter.audience.imports.layout import parse_map
from newsletter.audience.imports.reading import Export, Reject, open_export
from newsletter.audience.imports.tools import TOOLS

__all__ = ["TOOLS", "Export", "Reject", "open_export", "parse_map"]
