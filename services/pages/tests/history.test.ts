import assert from "node:assert/strict";
import { test } from "node:test";
import { History, REACH_S } from "../src/history.ts";

const rates = (received: number | null) => ({ received, applied: received });

test("what is older than the chart reaches is forgotten", () => {
  const history = new History();
  for (let second = 0; second <= 2 * REACH_S; second += 1) {
    history.add(second, rates(second));
  }
  assert.equal(history.times[0], REACH_S);
  assert.equal(history.times.length, REACH_S + 1);
  assert.equal(history.received.length, history.times.length);
  assert.deepEqual(history.summary(), { latest: 2 * REACH_S, highest: 2 * REACH_S });
});

test("a pause is a gap", () => {
  const history = new History();
  history.add(100, rates(5));
  history.add(160, rates(7));
  assert.deepEqual(history.times, [100, 101, 160]);
  assert.deepEqual(history.received, [5, null, 7]);
});

test("an answer that is not newer changes nothing", () => {
  const history = new History();
  history.add(100, rates(5));
  history.add(100, rates(9));
  assert.deepEqual(history.received, [5]);
});

test("unknown rates have no summary", () => {
  const history = new History();
  history.add(100, rates(null));
  assert.equal(history.summary(), null);
});
