import assert from "node:assert/strict";
import { test } from "node:test";
import { count, counted, measured, percent, rate, share, signed, size } from "../src/figures.ts";
import { flagWords, kindName, quantityName, unitName, valueWords } from "../src/quantities.ts";
import { byCount, helps, reasonWords } from "../src/reasons.ts";
import { clock, knownZone, moment, span, zoneName } from "../src/times.ts";

test("numbers are written as people read them", () => {
  assert.equal(count(1234567), "1,234,567");
  assert.equal(count(null), "unknown");
  assert.equal(counted(1, "device"), "1 device");
  assert.equal(counted(0, "device"), "0 devices");
  assert.deepEqual([signed(0), signed(17), signed(-1200)], ["0", "+17", "−1,200"]);
  assert.deepEqual([rate(0.44), rate(812.4), rate(null)], ["0.4", "812", "unknown"]);
  assert.deepEqual(
    [measured(12.5), measured(0.012345), measured(123456.7)],
    ["12.5", "0.01235", "123,457"],
  );
  assert.deepEqual(
    [size(512), size(67108864), size(1610612736)],
    ["512 bytes", "64 MiB", "1.5 GiB"],
  );
});

test("shares are never more than the whole, and unknown of an unknown whole", () => {
  assert.equal(share(12, 10), 1);
  assert.equal(share(null, 10), null);
  assert.equal(share(1, 0), null);
  assert.deepEqual(
    [percent(0), percent(0.0001), percent(0.05), percent(0.87)],
    ["0 %", "under 0.1 %", "5 %", "87 %"],
  );
});

test("units and quantities have the names that people use", () => {
  assert.equal(valueWords(12.5, unitName("ug/m3", "pm2_5")), "12.5\u202fµg/m³");
  assert.equal(unitName("dB", "laeq"), "dB(A)");
  assert.equal(unitName("dB", "snr"), "dB");
  assert.equal(unitName("1", "vehicles"), "");
  assert.equal(valueWords(true, ""), "yes");
  assert.equal(quantityName("pm2_5"), "PM2.5");
  assert.equal(quantityName("soil_moisture"), "Soil moisture");
  assert.deepEqual([kindName("light"), kindName("tide_gauge")], ["Street lighting", "Tide gauge"]);
  assert.deepEqual([flagWords(1), flagWords(3), flagWords(null)], ["", "suspect", ""]);
});

test("reasons are words, the most frequent first", () => {
  assert.deepEqual(byCount({ json_syntax: 2, unknown_device: 6 })[0], ["unknown_device", 6]);
  assert.equal(reasonWords("unknown_device"), "A device that nobody has registered");
  assert.equal(reasonWords("made_up_later"), "Made up later");
});

test("times are the city's, on both sides of a change of the clocks", () => {
  const before = new Date("2026-03-29T00:59:59Z");
  const after = new Date("2026-03-29T01:00:00Z");
  assert.equal(clock(before, "Europe/Madrid"), "01:59:59");
  assert.equal(clock(after, "Europe/Madrid"), "03:00:00");
  assert.equal(zoneName(before, "Europe/Madrid"), "Europe/Madrid (CET)");
  assert.equal(zoneName(after, "Europe/Madrid"), "Europe/Madrid (CEST)");
  assert.equal(zoneName(after, "UTC"), "UTC");
  assert.equal(knownZone("Atlantis/Capital"), "UTC");
});

test("another day is named", () => {
  const now = new Date("2026-03-04T05:06:07Z");
  assert.equal(moment(new Date("2026-03-04T03:00:00Z"), now, "Europe/Madrid"), "04:00:00");
  assert.equal(
    moment(new Date("2026-03-03T22:30:00Z"), now, "Europe/Madrid"),
    "Tue 3 Mar 23:30:00",
  );
});

test("lengths of time fit a table", () => {
  const lengths = [-1, 0, 0.0214, 0.9999, 2.54, 9.96, 59.9, 900, 7567, 273600, 172800];
  assert.deepEqual(lengths.map(span), [
    "0 ms",
    "0 ms",
    "21 ms",
    "1.0 s",
    "2.5 s",
    "10 s",
    "1 min",
    "15 min",
    "2 h 6 min",
    "3 d 4 h",
    "2 d",
  ]);
});

function held(reason: string, device: string) {
  const entry = { id: "3-7-0", received_at: "", device, topic: "", route: "", reason, words: "" };
  return { held: 1, by_reason: { [reason]: 1 }, entries: [entry] };
}

test("what helps is a command that can be pasted", () => {
  const commands = (reason: string, device: string) =>
    helps(held(reason, device)).map((each) => each.command);
  assert.deepEqual(commands("unknown_device", "acme/meter-7"), [
    "madina devices accept acme/meter-7",
  ]);
  assert.deepEqual(commands("json_syntax", "acme/meter-7"), [
    "madina quarantine list --reason json_syntax",
    "madina quarantine replay --reason json_syntax",
  ]);
});

test("many unknown devices are looked at together", () => {
  const many = { ...held("unknown_device", "acme/meter-7"), by_reason: { unknown_device: 9 } };
  assert.deepEqual(
    helps(many).map((each) => each.command),
    ["madina devices accept acme/meter-7", "madina devices unknown"],
  );
});

test("a device's name never becomes more of a command than its name", () => {
  for (const device of ["acme/x; reboot", "acme/$(id)", "--help/x", "a/b\nc", ""]) {
    const [help] = helps(held("unknown_device", device));
    assert.equal(help?.command, "madina devices accept PROVIDER/DEVICE");
  }
});
