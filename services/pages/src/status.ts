// What GET /v1/status answers (docs/api.md), and the reading of it.

export interface Reason {
  part: string;
  level: "error" | "warning";
  words: string;
}

export interface Rates {
  received_per_s: number | null;
  applied_per_s: number | null;
  observations_per_s: number | null;
}

export interface Lag {
  gateway_s: number | null;
  log_s: number | null;
  store_s: number | null;
  pending: number | null;
}

export interface Messages {
  received: number;
  accepted: number;
  quarantined: number;
  duplicate: number;
  pending: number;
}

export interface Observations {
  decoded: number;
  stored: number;
  duplicate: number;
  rejected: number;
}

export interface Ledger {
  messages: Messages;
  observations: Observations;
  difference: { messages: number | null; observations: number | null } | null;
}

export interface Devices {
  registered: number;
  active: number;
  pending: number;
  reporting: number;
  late: number;
  silent: number;
  never_seen: number;
}

export interface SilentDevice {
  device: string;
  kind: string | null;
  name: string | null;
  last: string | null;
  expected_interval_s: number | null;
  silent_s: number | null;
}

export interface LatestValue {
  device: string;
  name: string | null;
  quantity: string;
  value: number | boolean | string | null;
  unit: string | null;
  time: string;
  flag: number | null;
}

export interface LatestOfKind {
  kind: string;
  devices: number;
  values: LatestValue[];
}

export interface QuarantineEntry {
  id: string;
  received_at: string;
  device: string | null;
  topic: string;
  route: string | null;
  reason: string;
  words: string;
}

export interface Quarantine {
  held: number;
  by_reason: Record<string, number>;
  entries: QuarantineEntry[];
}

export interface Gateway {
  name: string;
  age_s: number;
  connections: number;
  messages_per_s: number;
  unacked_bytes: number;
  unacked_limit_bytes: number;
  waiting: boolean;
  log: string;
  reason: string;
}

export interface Broker {
  name: string;
  gateway: string;
  client: string;
  connected: boolean;
  reason: string;
  warning: string;
  version: string;
  session_present: boolean;
  messages: number;
  messages_per_s: number;
  held: number;
  last: string | null;
}

export interface LogFill {
  state: string;
  messages: number | null;
  bytes: number | null;
  max_bytes: number | null;
}

export interface Status {
  time: string;
  city: string;
  timezone: string;
  version: string;
  ready: boolean;
  reasons: Reason[];
  rates: Rates | null;
  lag: Lag | null;
  ledger: Ledger | null;
  devices: Devices | null;
  silent: SilentDevice[];
  latest: LatestOfKind[];
  quarantine: Quarantine | null;
  gateways: Gateway[];
  brokers: Broker[];
  log: LogFill | null;
}

/** Thrown where an answer is not a status: something else than the platform answers, most likely. */
export class UnreadableStatusError extends Error {
  override name = "UnreadableStatusError";
}

const TEXTS = ["time", "city", "timezone", "version"] as const;
const LISTS = ["reasons", "silent", "latest", "gateways", "brokers"] as const;
const PARTS = ["rates", "lag", "ledger", "devices", "quarantine", "log"] as const;

/**
 * Return an answer as a status; a part that is missing becomes null, a list empty.
 *
 * The page comes with the platform that it asks, so members of members are taken at their word.
 */
export function readStatus(answer: unknown): Status {
  if (typeof answer !== "object" || answer === null) {
    throw new UnreadableStatusError("not an object");
  }
  const read: Record<string, unknown> = { ...answer };
  for (const name of TEXTS) {
    if (typeof read[name] !== "string") {
      throw new UnreadableStatusError(`no text ${name}`);
    }
  }
  if (typeof read["ready"] !== "boolean") {
    throw new UnreadableStatusError("does not say whether it is ready");
  }
  for (const name of LISTS) {
    read[name] = Array.isArray(read[name]) ? read[name] : [];
  }
  for (const name of PARTS) {
    read[name] ??= null;
  }
  return read as unknown as Status;
}
