"""What codecs have to remember: the last record of each codec and key that counts.

A record says nothing of its shard, so each shard of its batch has it. A number that grows from
batch to batch tells which is the last.
"""
# ruff: noqa: S608 - statements are put together from our names, numbers and written literals

import base64
from collections.abc import Iterable
from typing import Final

from store.influx.address import BOOKS
from store.influx.book_lines import owner_tags
from store.influx.commits import Chain
from store.influx.connection import Connection
from store.influx.line_protocol import literal, tag, tag_text
from store.interface import CodecRecord

__all__ = ["codec_record_lines", "read_codec_records"]

CODEC_RECORDS: Final = "codec_records"
# A writer that died has begun one record of a key at most.
LAST: Final = 4


def codec_record_lines(
    shard: int, term: str, at: int, number: int, records: Iterable[CodecRecord]
) -> list[str]:
    """Write records for one shard; `number` is that of the batch."""
    return [
        f"{CODEC_RECORDS},codec={tag(each.codec)},key={tag(each.key)},{owner_tags(shard, term)}"
        f' value="{base64.b64encode(each.value).decode()}",at={at}i {number}'
        for each in records
    ]


def read_codec_records(
    connection: Connection, chains: dict[int, Chain], codec: str | None
) -> tuple[list[CodecRecord], int]:
    """Return the last record of each codec (or of one) and key, and the highest number of all."""
    of_one = "" if codec is None else f' WHERE "codec" = {literal(codec)}'
    answers = connection.ask(
        BOOKS,
        f'SELECT "value", "at" FROM "{CODEC_RECORDS}"{of_one}'
        ' GROUP BY "codec", "key", "shard", "term"'
        f" ORDER BY time DESC LIMIT {LAST}",
    )
    last: dict[tuple[str, str], tuple[int, str]] = {}
    highest = 0
    for answer in answers:
        key = tag_text(answer.tags["codec"]), tag_text(answer.tags["key"])
        chain = chains.get(int(answer.tags["shard"]))
        for row in answer.rows():
            highest = max(highest, row["time"])
            if chain is not None and chain.counts(answer.tags["term"], row["at"]):
                last[key] = max(last.get(key, (0, "")), (row["time"], row["value"]))
    records = [
        CodecRecord(*key, base64.b64decode(value)) for key, (_, value) in sorted(last.items())
    ]
    return records, highest
