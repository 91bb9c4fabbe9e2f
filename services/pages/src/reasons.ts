// Why messages are in quarantine, in words, and what helps.

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
  missing_field: "Lacks something that has to be there",
  missing_device: "Does not say which device it is from",
  bad_device_id: "The device's name is not allowed",
  device_mismatch: "Topic and payload name different devices",
  unknown_device: "A device that nobody has registered",
  bad_time: "A time that cannot be read",
  too_many: "Too many readings in one message",
  no_observations: "No reading in it",
  native_version: "A version of the native format that is not known here",
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
