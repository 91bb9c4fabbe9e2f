import assert from "node:assert/strict";
import { test } from "node:test";
import { readStatus, UnreadableStatusError } from "../src/status.ts";
import { healthy } from "./examples.ts";

test("parts that do not answer are null, and lists that are missing are empty", () => {
  const status = healthy();
  assert.equal(status.devices, null);
  assert.deepEqual(status.gateways, []);
});

for (const [name, answer] of Object.entries({
  nothing: null,
  "a list": [],
  "a problem": { type: "about:blank", title: "Not Found", status: 404 },
  "no readiness": { time: "", city: "", timezone: "", version: "" },
})) {
  test(`${name} is not taken for a status`, () => {
    assert.throws(() => readStatus(answer), UnreadableStatusError);
  });
}
