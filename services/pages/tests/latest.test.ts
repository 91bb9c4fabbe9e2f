import assert from "node:assert/strict";
import { test } from "node:test";
import { byDevice } from "../src/latest.ts";
import type { LatestValue } from "../src/status.ts";

function value(
  device: string,
  quantity: string,
  second: number,
  name: string | null = null,
): LatestValue {
  const time = `2026-03-04T05:06:0${second}.000000Z`;
  return { device, name, quantity, value: 1, unit: null, time, flag: 1 };
}

test("values of a device stand together, under its newest time", () => {
  const heard = byDevice([
    value("aire/air-1", "no2", 5, "Plaza Mayor"),
    value("aire/air-2", "no2", 4, ""),
    value("aire/air-1", "pm10", 7, "Plaza Mayor"),
    value("aire/air-1", "pm1", 3, "Plaza Mayor"),
  ]);
  assert.deepEqual(
    heard.map(({ name, time, values }) => [
      name,
      time.slice(17, 19),
      values.map((each) => each.quantity),
    ]),
    [
      ["Plaza Mayor", "07", ["no2", "pm10", "pm1"]],
      ["aire/air-2", "04", ["no2"]],
    ],
  );
});
