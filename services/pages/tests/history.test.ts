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
  history.add(300, rates(9));
  assert.deepEqual(history.times, [100, 160, 160.001, 300]);
  assert.deepEqual(history.received, [5, 7, null, 9]);
});

test("an interruption is a gap, however often it is noticed", () => {
  const history = new History();
  history.interrupt();
  history.add(100, rates(5));
  history.interrupt();
  history.interrupt();
  history.add(101, rates(7));
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

test("the axis grows from its least to its full reach", () => {
  const history = new History();
  const windows = [1000, 1060, 1400, 3000].map((second) => {
    history.add(second, rates(1));
    return history.window();
  });
  assert.deepEqual(windows, [
    [880, 1000],
    [940, 1060],
    [1000, 1400],
    [2880, 3000],
  ]);
});
