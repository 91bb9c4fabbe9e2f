// The newest values of a kind, device by device.

import type { LatestValue } from "./status.ts";

export interface HeardDevice {
  device: string;
  name: string;
  /** When its newest value was measured. */
  time: string;
  values: LatestValue[];
}

/** Return values by device, devices in the order in which they first come. */
export function byDevice(values: LatestValue[]): HeardDevice[] {
  const devices = new Map<string, HeardDevice>();
  for (const value of values) {
    const known = devices.get(value.device);
    if (known === undefined) {
      const { device, time } = value;
      devices.set(device, { device, name: nameOf(value), time, values: [value] });
    } else {
      known.values.push(value);
      // ISO 8601 in UTC, always to the microsecond: order of text is order of time.
      known.time = value.time > known.time ? value.time : known.time;
    }
  }
  return [...devices.values()];
}

function nameOf({ name, device }: LatestValue): string {
  return name === null || name === "" ? device : name;
}
