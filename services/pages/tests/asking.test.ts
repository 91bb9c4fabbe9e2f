import assert from "node:assert/strict";
import { test } from "node:test";
import { Asking, EVERY_MS, type World } from "../src/asking.ts";
import type { Known } from "../src/verdict.ts";
import { healthy } from "./examples.ts";

const OPENED = new Date("2026-03-04T05:00:00Z");

/** Ask once for each answer, and return what was told each time. */
async function asked(answers: (() => Response)[]): Promise<Known[]> {
  const told: Known[] = [];
  const world: World = {
    fetch: async () => answers.shift()?.() ?? assert.fail("asked too often"),
    now: () => OPENED,
    after: () => undefined,
  };
  const asking = new Asking("v1/status", world, (known) => told.push(known));
  while (answers.length > 0) {
    await asking.ask();
  }
  return told;
}

const good = () => Response.json(healthy());
const gone = () => {
  throw new TypeError("Failed to fetch");
};

test("an answer is told", async () => {
  const [known] = await asked([good]);
  assert.equal(known?.status?.city, "Madina");
  assert.equal(known?.failure, null);
});

test("silence keeps the last answer and its time, and ends with the next answer", async () => {
  const [, first, second, after] = await asked([good, gone, gone, good]);
  for (const known of [first, second]) {
    assert.equal(known?.failure?.kind, "no answer");
    assert.equal(known?.failure?.since.toISOString(), "2026-03-04T05:06:07.000Z");
    assert.equal(known?.status?.city, "Madina");
  }
  assert.equal(after?.failure, null);
});

test("before any answer, silence counts from when the page was opened", async () => {
  const [known] = await asked([gone]);
  assert.equal(known?.failure?.since, OPENED);
});

test("an error and a stranger's answer are told apart", async () => {
  const [broken, text, other] = await asked([
    () => new Response("", { status: 503 }),
    () => new Response("<html>"),
    () => Response.json({ hello: 1 }),
  ]);
  assert.equal(broken?.failure?.detail, "HTTP 503");
  assert.equal(text?.failure?.kind, "unreadable");
  assert.equal(other?.failure?.kind, "unreadable");
});

test("the next question waits for the answer, and no longer than needed", async () => {
  const waits: number[] = [];
  const clock = [0, 0, 300, 0, 4000].map((ms) => new Date(ms));
  const world: World = {
    fetch: async () => good(),
    now: () => clock.shift() ?? assert.fail("asked the time too often"),
    after: (ms) => waits.push(ms),
  };
  const asking = new Asking("v1/status", world, () => undefined);
  await asking.start();
  await asking.start();
  assert.deepEqual(waits, [EVERY_MS - 300, 100]);
});

test("a question while an answer is awaited is not asked", async () => {
  const answers: ((answer: Response) => void)[] = [];
  let told = 0;
  const world: World = {
    fetch: () => new Promise((resolve) => answers.push(resolve)),
    now: () => OPENED,
    after: () => undefined,
  };
  const asking = new Asking("v1/status", world, () => (told += 1));
  const first = asking.ask();
  await asking.ask();
  assert.equal(answers.length, 1);
  answers[0]?.(good());
  await first;
  assert.equal(told, 1);
});
