import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cardPeriod,
  cardValue,
  completenessWords,
  inkOn,
  readCards,
  stateWords,
  type Card,
} from "../src/cards.ts";

const card: Card = {
  indicator: "noise.lden",
  title: "Lden",
  unit: "dB",
  grain: "day",
  area: "place:a",
  start: "2026-03-02T23:00:00Z",
  end: "2026-03-03T23:00:00Z",
  tz: "Europe/Madrid",
  value: 61,
  band: null,
  colour: null,
  completeness: 0.96,
  n_used: 276,
  n_expected: 288,
  state: "provisional",
  reason: null,
};

test("a day is the civil day of its place, an hour has both ends", () => {
  assert.equal(cardPeriod(card), "Tue 3 Mar");
  const hour = { ...card, grain: "hour", end: "2026-03-03T00:00:00Z" };
  assert.equal(cardPeriod(hour), "Tue 3 Mar 00:00–01:00");
});

test("levels keep their decimal, an index has none", () => {
  assert.equal(cardValue(card), "61.0 dB");
  assert.equal(cardValue({ ...card, unit: "1", value: 71 }), "71");
});

test("incomplete is said plainly, with how much there is", () => {
  assert.equal(completenessWords(card), "96 % of the data present");
  const none = { ...card, value: null, reason: "incomplete", completeness: 0.4 };
  assert.match(completenessWords(none), /^Incomplete: only 40 % .* too little/);
  assert.equal(cardValue(none), "no value");
  assert.match(stateWords(card), /may still change/);
});

test("words can be read on every colour of the index", () => {
  assert.deepEqual(["00E400", "FFFF00", "FF7E00", "FF0000", "8F3F97", "7E0023"].map(inkOn), [
    "#000000",
    "#000000",
    "#000000",
    "#000000",
    "#ffffff",
    "#ffffff",
  ]);
});

test("what is no answer of ours is nothing", () => {
  assert.equal(readCards({ items: [] }), null);
  assert.equal(readCards("x"), null);
});
