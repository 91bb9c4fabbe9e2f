"""What messages say, before anybody has asked what is stored of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ingest.apply.decide import Decision
    from ingest.apply.rows import Rows
    from ingest.apply.stretch import Message
    from ingest.apply.tally import Tally

__all__ = ["Said"]


class Said(msgspec.Struct, frozen=True):
    """What the messages of a stretch say.

    Attributes:
        tally: Without what becomes of observations.
        rows: Every observation that could be one.
        decisions: Messages that were looked at one by one.
    """

    tally: Tally
    rows: Rows
    decisions: list[tuple[Message, Decision]]
