import assert from "node:assert/strict";
import { test } from "node:test";
import { liveUrl, Newest, ROWS } from "../src/live.ts";

const reading = {
  device: "acme/air-1",
  quantity: "pm2_5",
  value: 1,
  unit: "ug/m3",
  time: "2026-03-04T05:06:07Z",
  flag: 1,
};

test("only the newest rows are kept, and all are counted", () => {
  const newest = new Newest();
  for (let value = 0; value < ROWS + 5; value += 1) {
    newest.add({ ...reading, value });
  }
  newest.addLost(3);
  assert.equal(newest.rows.length, ROWS);
  assert.equal(newest.rows[0]?.value, ROWS + 4);
  assert.deepEqual([newest.seen, newest.lost], [ROWS + 5, 3]);
});

test("a device is asked for by its whole name", () => {
  assert.equal(liveUrl("  "), "v1/live");
  assert.equal(liveUrl(" acme/air 1 "), "v1/live?device=acme%2Fair%201");
});
