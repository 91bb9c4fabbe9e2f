// What GET /v1/cards answers (docs/api.md), and the words for it.

import { percent } from "./figures.ts";

export interface Card {
  indicator: string;
  title: string;
  unit: string;
  grain: string;
  area: string;
  start: string;
  end: string;
  tz: string;
  value: number | null;
  band: string | null;
  colour: string | null;
  completeness: number;
  n_used: number;
  n_expected: number;
  state: string;
  reason: string | null;
}

export interface PlaceCards {
  place: string;
  title: string;
  district: string | null;
  cards: Card[];
}

export interface Cards {
  time: string;
  places: PlaceCards[];
}

/** What people call the indicators that stand on cards. */
const NAMES: Record<string, string> = {
  "air.aqi.us.overall": "Air quality index",
  "air.nowcast.pm25": "Latest hour",
  "noise.lden": "Noise, day-evening-night",
  "noise.lnight": "Noise at night",
};

/** Return an answer as cards; null where something else answers. */
export function readCards(answer: unknown): Cards | null {
  if (typeof answer !== "object" || answer === null || !("places" in answer)) {
    return null;
  }
  return Array.isArray(answer.places) ? (answer as Cards) : null;
}

export function cardName(card: Card): string {
  return NAMES[card.indicator] ?? card.title;
}

/** Return the period of a card by its own wall clock: `Tue 3 Mar`, `Tue 3 Mar 13:00–14:00`. */
export function cardPeriod(card: Card): string {
  const day = formatted(card.start, card.tz, { weekday: "short", day: "numeric", month: "short" });
  if (card.grain !== "hour") {
    return day;
  }
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  return `${day} ${formatted(card.start, card.tz, time)}–${formatted(card.end, card.tz, time)}`;
}

/** Return the value with its unit; decibels keep their decimal. */
export function cardValue(card: Card): string {
  if (card.value === null) {
    return "no value";
  }
  return card.unit === "dB" ? `${card.value.toFixed(1)} dB` : String(card.value);
}

/** Say how much of the data there is, and plainly where that was not enough. */
export function completenessWords(card: Card): string {
  const share = percent(card.completeness);
  if (card.value !== null) {
    return card.completeness >= 1 ? "all data present" : `${share} of the data present`;
  }
  return card.reason === "incomplete"
    ? `Incomplete: only ${share} of the data present, too little to publish a value`
    : `Not published: ${card.reason ?? "no reason known"}`;
}

/** Say whether a published value may still change. */
export function stateWords(card: Card): string {
  return card.state === "final" ? "final" : "may still change if late data come";
}

/** Return black or white, whichever can be read on a colour (WCAG relative luminance). */
export function inkOn(colour: string): string {
  const [r, g, b] = [0, 2, 4].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000000" : "#ffffff";
}

function formatted(time: string, zone: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone }).format(new Date(time));
}
