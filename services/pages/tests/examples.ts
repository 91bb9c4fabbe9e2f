// A status as a healthy platform answers it, for tests to spoil.

import { readStatus, type Status } from "../src/status.ts";

export function healthy(changes: Partial<Status> = {}): Status {
  return readStatus({
    time: "2026-03-04T05:06:07.000000Z",
    city: "Madina",
    timezone: "Europe/Madrid",
    version: "0.1.0",
    ready: true,
    reasons: [],
    rates: { received_per_s: 812, applied_per_s: 810.5, observations_per_s: 1621 },
    lag: { gateway_s: 0.021, log_s: 0.044, store_s: 0.013, pending: 17 },
    ledger: {
      messages: { received: 1000, accepted: 970, quarantined: 8, duplicate: 5, pending: 17 },
      observations: { decoded: 1950, stored: 1940, duplicate: 8, rejected: 2 },
      difference: { messages: 0, observations: 0 },
    },
    ...changes,
  });
}
