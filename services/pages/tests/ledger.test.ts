import assert from "node:assert/strict";
import { test } from "node:test";
import { differenceWords, equations, unbalanced } from "../src/ledger.ts";
import { healthy } from "./examples.ts";

const { ledger } = healthy();
assert.ok(ledger);

test("each equation's terms add up to its total where the difference is 0", () => {
  for (const { total, terms, difference } of equations(ledger)) {
    assert.equal(difference, 0);
    assert.equal(
      terms.reduce((sum, each) => sum + each.value, 0),
      total.value,
    );
  }
});

test("an unknown difference is neither balanced nor a defect", () => {
  const unknown = { ...ledger, difference: null };
  assert.deepEqual(
    equations(unknown).map((each) => each.difference),
    [null, null],
  );
  assert.deepEqual(unbalanced(unknown), []);
});

test("only what does not balance is named", () => {
  const short = { ...ledger, difference: { messages: 0, observations: 2 } };
  assert.deepEqual(
    unbalanced(short).map((each) => each.of),
    ["observations"],
  );
});

test("a difference is said in words by its sign", () => {
  const [messages, observations] = equations({
    ...ledger,
    difference: { messages: 1, observations: -1200 },
  });
  assert.ok(messages && observations);
  assert.equal(differenceWords(messages), "1 message is missing");
  assert.equal(differenceWords(observations), "1,200 observations are counted more than once");
});
