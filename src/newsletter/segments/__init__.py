"""Segments: a small, safe language for choosing subscribers, such as `tag = cv and not got 63`.

    segment = parse_segment("language = zh and (tag in (cv, nlp) or field.city = 北京)")
    segment.matches(subscriber)

`send --segment` and `only:` speak it; docs/segments.md explains it to people. It is read by hand (`tokens`, `parser`)
into conditions (`expression`), and nothing of it is ever run as code.
"""

from newsletter.segments.expression import Condition, Facts, Segment
from newsletter.segments.parser import parse_segment
from newsletter.segments.tokens import SegmentError

__all__ = ["Condition", "Facts", "Segment", "SegmentError", "parse_segment"]
