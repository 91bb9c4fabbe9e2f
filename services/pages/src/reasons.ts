// Why messages are in quarantine, in words, and what helps.

import type { Quarantine } from "./status.ts";

const REASONS: Record<string, string> = {
  no_route: "No route takes this topic",
  no_codec: "The route names a format that is not installed",
  no_payload_codec: "Nothing here reads this device model's payload",
  oversize: "Larger than a message may be",
  bomb: "Grows too large when it is decompressed",
  decompress: "Cannot be decompressed",
  utf8: "Not valid text (UTF-8)",
  nul_byte: "Holds a NUL byte",
  json_syntax: "Not valid JSON",
  json_nonfinite: "JSON with a number that is none (NaN, infinite)",
  json_duplicate_key: "JSON that says the same member twice",
  json_depth: "JSON nested too deeply",
  base64: "Its payload is not valid Base64 or hexadecimal",
  cbor_syntax: "Not valid CBOR",
  senml_name: "A SenML name that is empty or has characters that are not allowed",
  senml_label: "A SenML label written as text where CBOR has a number",
  senml_version: "A SenML version that is not known here",
  senml_must_understand: "SenML with a member that must be understood and is not",
  senml_value_count: "A SenML record with no value, or with two",
  senml_type: "A SenML member of the wrong type",
  ul_syntax: "Not valid UltraLight 2.0",
  lp_syntax: "Not valid InfluxDB line protocol",
  unknown_datastream: "A datastream that the route does not know",
  unknown_api_key: "An API key that the route does not know",
  lpp_truncated: "A binary payload (Cayenne LPP) that ends too early",
  lpp_unknown_type: "A binary payload (Cayenne LPP) of a type that is not known here",
  missing_field: "Lacks something that has to be there",
  missing_device: "Does not say which device it is from",
  bad_device_id: "The device's name is not allowed",
  device_mismatch: "Topic and payload name different devices",
  unknown_device: "A device that nobody has registered",
  bad_time: "A time that cannot be read",
  too_many: "Too many readings in one message",
  no_observations: "No reading in it",
  native_version: "A version of the native format that is not known here",
  protobuf_syntax: "Not valid protobuf (Sparkplug B)",
  sparkplug_topic: "A Sparkplug topic or message of a kind that is not taken",
  sparkplug_no_birth: "Sparkplug data that wait for their device's birth",
  mapping_length: "Bytes of another length than the mapping's layout has",
  mapping_no_layout: "Bytes for which the mapping has no layout",
  checksum: "Its checksum is wrong: damaged on the way",
  codec_error: "The format's reader failed: a defect of ours",
};

/** Return a reason code in words; a code without words keeps its own, without underscores. */
export function reasonWords(code: string): string {
  const known = REASONS[code];
  if (known !== undefined) {
    return known;
  }
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Return counts by reason, the most frequent first. */
export function byCount(counts: Record<string, number>): [string, number][] {
  return Object.entries(counts).sort(([a, many], [b, more]) => more - many || a.localeCompare(b));
}

export interface Help {
  words: string;
  command: string;
}

// What a shell takes as it is: devices choose their names, and people paste commands.
const PLAIN = /^[A-Za-z0-9][\w.:-]*\/[A-Za-z0-9][\w.:-]*$/;

/** Return what an operator can do about what is held, with commands for most of it. */
export function helps({ by_reason, entries }: Quarantine): Help[] {
  const found: Help[] = [];
  if ((by_reason["unknown_device"] ?? 0) > 0) {
    const unknown = entries.find((each) => each.reason === "unknown_device")?.device ?? "";
    const device = PLAIN.test(unknown) ? unknown : "PROVIDER/DEVICE";
    found.push({
      words: "Register a device, and take up what it has sent:",
      command: `madina devices accept ${device}`,
    });
    if ((by_reason["unknown_device"] ?? 0) > 1) {
      found.push({
        words: "See who else is unknown, with samples and what they seem to be:",
        command: "madina devices unknown",
      });
    }
  }
  const [other] = byCount(by_reason).find(([reason]) => reason !== "unknown_device") ?? [];
  if (other !== undefined) {
    found.push(
      { words: "Look at what is refused:", command: `madina quarantine list --reason ${other}` },
      {
        words: "Read again what was mended:",
        command: `madina quarantine replay --reason ${other}`,
      },
    );
  }
  return found;
}
