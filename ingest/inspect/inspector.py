"""Traffic to findings: recognised, grouped by topic, read as proposed, with how sure. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from city.topics import filter_matches, masked_topic, specificity
from ingest.apply.routing import IGNORE, Lane, Router
from ingest.inspect.findings import Candidate, Findings, FoundQuantity, Group, Heard, Shown
from ingest.inspect.mapping import write_mapping
from ingest.inspect.refusal import NoMappingError
from ingest.inspect.sniff import document_of, is_control, lines_of, recognise
from ingest.inspect.tables import rows_of
from ingest.inspect.topics import FIXED, topic_patterns
from ingest.inspect.trial import Trial, tried

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from city.samples import SampledValue
    from ingest.codecs.seam import Codec
    from ingest.inspect.findings import Confidence
    from ingest.inspect.mapping import WrittenMapping
    from registry.facts import Route

__all__ = ["Inspector"]

MAPPING: Final = "mapping"
SAMPLES: Final = 3
SAMPLE_SHOWN: Final = 400
CANDIDATES: Final = 4
# Enough to see every quantity; all messages are counted, and read once more for their devices.
MAPPED_FROM: Final = 500
GENERIC: Final = frozenset(("v3", "application", "tele", "ul", "json", "spBv1.0", "sensors", ""))
NOT_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
NAME_MAX: Final = 40


class Inspector:
    """Looks at messages as somebody would who knows every format here."""

    def __init__(
        self,
        codecs: Mapping[str, Codec],
        timezone: str,
        routes: Iterable[Route] = (),
        provider: str | None = None,
    ) -> None:
        """Take codecs by name, and what is registered.

        Args:
            codecs: As `find_codecs` returns them.
            timezone: Of times without a zone.
            routes: Those that hold now: what they read needs no other.
            provider: For what is proposed; None: named after the topic.
        """
        self._codecs = codecs
        self._timezone = timezone
        self._router = Router(routes, codecs, timezone)
        self._provider = provider
        self._names: set[str] = set()

    def look(self, messages: Sequence[Heard], *, cut: bool = False) -> Findings:
        """Return what messages seem to be, the patterns with most messages first."""
        routed: dict[str, list[Heard]] = defaultdict(list)
        lanes: dict[str, Lane] = {}
        new: list[Heard] = []
        for each in messages:
            lane = self._router.lane(each.topic)
            if lane is None:
                new.append(each)
            else:
                lanes[lane.route] = lane
                routed[f"{lane.route}\0{lane.provider}"].append(each)
        groups = [self._routed(lanes[key.split("\0")[0]], found) for key, found in routed.items()]
        groups += [self._new(pattern, codec, found) for pattern, codec, found in _grouped(new)]
        groups.sort(key=lambda group: (-group.messages, group.pattern))
        return Findings(len(messages), groups, cut)

    def _routed(self, lane: Lane, messages: list[Heard]) -> Group:
        lane = msgspec.structs.replace(lane, provider=self._own(lane, messages))
        trial = tried(lane, messages) if lane.codec != IGNORE else _NOTHING
        (pattern, *_) = topic_patterns((each.topic, "") for each in messages)
        return self._group(pattern, lane, messages, trial, "high", "a route reads it", known=True)

    def _own(self, lane: Lane, messages: list[Heard]) -> str:
        found = self._router.lane(messages[0].topic)
        return lane.provider if found is None else found.provider

    def _new(self, pattern: str, codec: str | None, messages: list[Heard]) -> Group:
        provider = self._provider or _provider_of(pattern, codec)
        name = self._name(provider, pattern)
        draft = Lane(name, codec or "", provider, self._timezone)
        if codec == IGNORE:
            why = "it tells how a device is, and nothing that is measured"
            return self._group(pattern, draft, messages, _NOTHING, "medium", why)
        if not codec:
            return self._mapped(pattern, draft, messages)
        draft = self._lane(draft, codec, {})
        trial = tried(draft, messages)
        why = f"it bears the signature of {codec}"
        return self._group(
            pattern, draft, messages, trial, "high" if trial.observed else "low", why
        )

    def _mapped(self, pattern: str, draft: Lane, messages: list[Heard]) -> Group:
        try:
            written = write_mapping(draft.route, pattern, messages[:MAPPED_FROM])
        except NoMappingError as error:
            return self._group(pattern, draft, messages, _NOTHING, "low", str(error))
        draft = self._lane(draft, MAPPING, written.options)
        trial = tried(draft, messages)
        sure: Confidence = "medium" if trial.observed == len(messages) else "low"
        why = f"no format that is known; {written.what}"
        return self._group(pattern, draft, messages, trial, sure, why, written=written)

    def _group(  # noqa: PLR0913 - what it is made of
        self,
        pattern: str,
        lane: Lane,
        messages: list[Heard],
        trial: Trial,
        sure: Confidence,
        why: str,
        *,
        written: WrittenMapping | None = None,
        known: bool = False,
    ) -> Group:
        candidates = [] if known or lane.codec == IGNORE else self._candidates(lane, messages)
        shown: dict[str, Heard] = {}
        for each in messages:
            shown.setdefault(each.topic, each)
        return Group(
            pattern=_masked(pattern),
            messages=len(messages),
            topics=len({each.topic for each in messages}),
            route=lane.route,
            registered=known,
            codec=lane.codec,
            provider=lane.provider,
            options=lane.options,
            confidence=sure,
            why=why,
            samples=[*map(_shown, list(shown.values())[:SAMPLES])],
            candidates=candidates,
            quantities=_sent_quantities(trial) if written is None else written.quantities,
            devices=trial.devices,
            faults=trial.faults,
            notes=[] if written is None else written.notes,
        )

    def _lane(self, draft: Lane, codec: str, options: dict[str, Any]) -> Lane:
        return msgspec.structs.replace(
            draft, codec=codec, reader=self._codecs.get(codec), options=options
        )

    def _candidates(self, chosen: Lane, messages: list[Heard]) -> list[Candidate]:
        """Return what others make of the samples: the chosen first, then who reads most."""
        samples = messages[:SAMPLES]
        first = [tried(chosen, samples).candidate(chosen.codec, len(samples))] * bool(chosen.codec)
        others = [
            tried(self._lane(chosen, codec, {}), samples).candidate(codec, len(samples))
            for codec in sorted(self._codecs)
            if codec not in {chosen.codec, MAPPING}
        ]
        whole = [each for each in others if each.read == each.of and not each.fault]
        return [*first, *sorted(whole, key=lambda each: -len(each.values))][:CANDIDATES]

    def _name(self, provider: str, pattern: str) -> str:
        words = [each for each in pattern.split("/") if each not in {"+", "#", provider, ""}]
        base = _name_of("-".join([provider, *words]))
        name, count = base, 1
        while name in self._names:
            count += 1
            name = f"{base}-{count}"
        self._names.add(name)
        return name


_NOTHING: Final = Trial(0, 0, [], [], {})


def _grouped(messages: Sequence[Heard]) -> list[tuple[str, str | None, list[Heard]]]:
    """Return pattern, codec and messages; of equal patterns the one with most messages has them."""
    codecs: dict[str, dict[str, Hashable]] = defaultdict(dict)
    claimed: dict[str, str] = {}
    for each in messages:
        codec = recognise(each) or (IGNORE if is_control(each) else None)
        fixed = [one for one in FIXED.get(codec or "", ()) if _fits(one, each.topic)]
        if fixed and codec:
            claimed[fixed[0]] = codec
        else:
            codecs[codec or ""][each.topic] = codec or _shape(each)
    for codec, topics in codecs.items():
        for pattern in topic_patterns(topics.items()):
            claimed.setdefault(pattern, codec)
    order = sorted(claimed, key=lambda pattern: (specificity(pattern), pattern))
    found: dict[str, list[Heard]] = defaultdict(list)
    for each in messages:
        found[next(one for one in order if _fits(one, each.topic))].append(each)
    return [(pattern, claimed[pattern] or None, found[pattern]) for pattern in order
            if pattern in found]  # fmt: skip


def _fits(pattern: str, topic: str) -> bool:
    return filter_matches(pattern.encode(), topic.encode())


def _masked(pattern: str) -> str:
    """Return a filter without a key; where any key fits, that stays."""
    levels = zip(pattern.split("/"), masked_topic(pattern).split("/"), strict=True)
    return "/".join(level if level in {"+", "#"} else shown for level, shown in levels)


def _shape(message: Heard) -> Hashable:
    document = document_of(message.payload)
    if document is None and (lines := lines_of(message.payload)):
        document = lines[0]
    if isinstance(document, dict):
        return frozenset(cast("dict[str, Any]", document))
    if document is None and (rows := rows_of(message.payload)) is not None:
        return rows[0], len(rows[1][0])
    return type(document).__name__


def _provider_of(pattern: str, codec: str | None) -> str:
    levels = [each for each in pattern.split("/") if each not in {"+", "#"}]
    first = levels[0] if levels else ""
    named = codec if first in GENERIC and codec not in {None, IGNORE} else first
    return _name_of(named or "unnamed")


def _name_of(text: str) -> str:
    return NOT_A_NAME.sub("-", text).strip("-._")[:NAME_MAX] or "unnamed"


def _shown(message: Heard) -> Shown:
    try:
        text = message.payload.decode()
    except UnicodeDecodeError:
        text = message.payload.hex(" ")
    return Shown(masked_topic(message.topic), text[:SAMPLE_SHOWN], len(message.payload))


def _sent_quantities(trial: Trial) -> list[FoundQuantity]:
    return [_sent_quantity(each, trial) for each in trial.values]


def _sent_quantity(found: SampledValue, trial: Trial) -> FoundQuantity:
    sure: Confidence = "medium"
    if found.quantity in trial.with_unit:
        sure, why = "high", "the format says"
    elif found.unit is not None:
        why = f"no unit is sent; the usual unit of {found.quantity}"
    else:
        why = "it has no unit, or says none"
    return FoundQuantity(found.quantity, found.unit, found.value, sure, why)
