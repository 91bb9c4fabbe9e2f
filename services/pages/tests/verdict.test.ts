import assert from "node:assert/strict";
import { test } from "node:test";
import { titleOf, verdict, type Failure } from "../src/verdict.ts";
import { healthy } from "./examples.ts";

const FULL = {
  part: "log",
  level: "error",
  words: "the log is full: devices wait, nothing is dropped",
} as const;
const SLOW = { part: "store", level: "warning", words: "the last batch took 4 s" } as const;
const since = new Date("2026-03-04T11:03:04Z");

test("before the first answer the page asks, and judges nothing", () => {
  assert.equal(verdict({ status: null, failure: null }).level, "asking");
});

test("a ready platform without reasons is well", () => {
  const said = verdict({ status: healthy(), failure: null });
  assert.equal(said.level, "well");
  assert.equal(titleOf(said, "Madina"), "All well - Madina");
});

test("one error is the headline itself", () => {
  const said = verdict({ status: healthy({ ready: false, reasons: [FULL] }), failure: null });
  assert.equal(said.level, "wrong");
  assert.equal(said.words, "The log is full: devices wait, nothing is dropped.");
  assert.deepEqual(said.more, []);
});

test("several errors are counted and listed", () => {
  const gone = { part: "gateway", level: "error", words: "no gateway tells its state." } as const;
  const said = verdict({
    status: healthy({ ready: false, reasons: [FULL, gone, SLOW] }),
    failure: null,
  });
  assert.equal(said.words, "2 things are wrong.");
  assert.deepEqual(
    said.more.map(({ part, words }) => [part, words]),
    [
      ["Log", FULL.words],
      ["Gateway", "no gateway tells its state"],
      ["Store", SLOW.words],
    ],
  );
  assert.equal(titleOf(said, "Madina"), "3 problems! - Madina");
});

test("a warning leaves the platform working", () => {
  const said = verdict({ status: healthy({ reasons: [SLOW] }), failure: null });
  assert.equal(said.level, "warning");
  assert.equal(said.words, "Working, but: the last batch took 4 s.");
});

test("a ledger that does not balance is wrong even where the platform gives no reason", () => {
  const { ledger } = healthy();
  assert.ok(ledger);
  const status = healthy({ ledger: { ...ledger, difference: { messages: -3, observations: 0 } } });
  const said = verdict({ status, failure: null });
  assert.equal(said.level, "wrong");
  assert.match(said.words, /does not balance: 3 messages are counted more than once\.$/);
});

test("not ready without a reason is said as it is", () => {
  const said = verdict({ status: healthy({ ready: false }), failure: null });
  assert.equal(said.level, "wrong");
  assert.match(said.words, /not ready, and does not say why/);
});

test("no answer tells since when, in the city's time, whatever the last answer said", () => {
  const failure: Failure = { kind: "no answer", detail: "TypeError", since };
  const said = verdict({ status: healthy(), failure });
  assert.equal(said.level, "lost");
  assert.equal(said.words, "No answer from the platform since 12:03:04.");
  assert.match(said.more[0]?.words ?? "", /Figures below are from 12:03:04/);
});

test("an error of the platform is told apart from silence", () => {
  const failure: Failure = { kind: "error", detail: "HTTP 500", since };
  assert.match(verdict({ status: healthy(), failure }).words, /error \(HTTP 500\) since 12:03:04/);
});

test("an unknown ledger is not called well", () => {
  const { ledger } = healthy();
  assert.ok(ledger);
  for (const unknown of [null, { ...ledger, difference: null }]) {
    const said = verdict({ status: healthy({ ledger: unknown }), failure: null });
    assert.equal(said.level, "warning");
    assert.match(said.words, /is not known at the moment\.$/);
  }
});

test("why the ledger is unknown is said once", () => {
  const status = healthy({ ready: false, ledger: null, reasons: [FULL] });
  assert.deepEqual(verdict({ status, failure: null }).more, []);
});
