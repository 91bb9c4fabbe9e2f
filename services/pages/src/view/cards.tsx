// The newest published values by place: air and noise, in words that need no training.

import { useEffect, useState } from "preact/hooks";
import {
  cardName,
  cardPeriod,
  cardValue,
  completenessWords,
  inkOn,
  readCards,
  stateWords,
  type Card,
  type Cards,
  type PlaceCards,
} from "../cards.ts";
import { Nothing, Panel } from "./panel.tsx";

const EVERY_MS = 30_000;
const SHOWN_FIRST = 8;

export function CardsView() {
  const cards = useCards();
  const [all, setAll] = useState(false);
  const places = cards?.places ?? [];
  const shown = all ? places : places.slice(0, SHOWN_FIRST);
  return (
    <Panel
      id="cards"
      title="Air and noise by place"
      note="Computed from the sensors of each place; a day is published when it is over. A higher index means worse air, and more decibels more noise."
      wide
    >
      {places.length === 0 ? (
        <Nothing>{empty(cards)}</Nothing>
      ) : (
        <ul class="places">
          {shown.map((each) => (
            <Place key={each.place} of={each} />
          ))}
        </ul>
      )}
      {places.length > SHOWN_FIRST ? (
        <button type="button" class="more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer places" : `Show all ${places.length} places`}
        </button>
      ) : null}
    </Panel>
  );
}

function empty(cards: Cards | null): string {
  return cards === null
    ? "The published values are not known yet."
    : "No value is published yet: the first comes when an hour or a day is over.";
}

function Place({ of }: { of: PlaceCards }) {
  return (
    <li class="place">
      <h3>
        {of.title} {of.district === null ? null : <span class="district">{of.district}</span>}
      </h3>
      <dl>
        {of.cards.map((card) => (
          <Shown key={card.indicator} card={card} />
        ))}
      </dl>
    </li>
  );
}

function Shown({ card }: { card: Card }) {
  const explained = `v1/indicators/${card.indicator}/explain?area=${encodeURIComponent(card.area)}&grain=${card.grain}&period=${card.start}`;
  return (
    <div class={card.value === null ? "card none" : "card"}>
      <dt>
        {cardName(card)} <span class="period">{cardPeriod(card)}</span>
      </dt>
      <dd class="value">
        <span class="number">{cardValue(card)}</span> <Band card={card} />
      </dd>
      <dd class="complete">
        {completenessWords(card)}; {stateWords(card)}.{" "}
        <a href={explained} aria-label={`Why? ${cardName(card)} at ${card.area}`}>
          Why?
        </a>
      </dd>
    </div>
  );
}

function Band({ card }: { card: Card }) {
  if (card.band === null) {
    return null;
  }
  const { colour } = card;
  const style = colour === null ? {} : { backgroundColor: `#${colour}`, color: inkOn(colour) };
  return (
    <strong class="band" style={style}>
      {card.band}
    </strong>
  );
}

/** Ask for the cards now and every half minute; an answer that fails leaves the last one. */
function useCards(): Cards | null {
  const [cards, setCards] = useState<Cards | null>(null);
  useEffect(() => {
    const ask = async () => {
      try {
        const answer = await fetch("v1/cards", { signal: AbortSignal.timeout(EVERY_MS / 2) });
        const read = answer.ok ? readCards(await answer.json()) : null;
        if (read !== null) {
          setCards(read);
        }
      } catch {
        // The verdict above tells that the platform does not answer.
      }
    };
    void ask();
    const asking = setInterval(() => void ask(), EVERY_MS);
    return () => clearInterval(asking);
  }, []);
  return cards;
}
