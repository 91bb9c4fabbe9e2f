// The last minutes of rates, kept in the page: nothing is asked again after a reload.

/** How far the chart reaches back, in seconds. */
export const REACH_S = 600;

export interface Rates {
  received: number | null;
  applied: number | null;
}

/** Points in time order. A pause in the answers becomes a gap, not a line across it. */
export class History {
  readonly times: number[] = [];
  readonly received: (number | null)[] = [];
  readonly applied: (number | null)[] = [];

  /** Add a point, at seconds since 1970; one that is not later than the last is left out. */
  add(time_s: number, rates: Rates, pause_s = 10): void {
    const last = this.times.at(-1);
    if (last !== undefined && time_s <= last) {
      return;
    }
    if (last !== undefined && time_s - last > pause_s) {
      this.#push(last + 1, { received: null, applied: null });
    }
    this.#push(time_s, rates);
    this.#forget(time_s - REACH_S);
  }

  /** Return the highest and the latest rate of what was received; null without any. */
  summary(): { latest: number; highest: number } | null {
    const known = this.received.filter((each) => each !== null);
    const latest = known.at(-1);
    return latest === undefined ? null : { latest, highest: Math.max(...known) };
  }

  #push(time_s: number, { received, applied }: Rates): void {
    this.times.push(time_s);
    this.received.push(received);
    this.applied.push(applied);
  }

  #forget(before_s: number): void {
    const kept = this.times.findIndex((each) => each >= before_s);
    for (const list of [this.times, this.received, this.applied]) {
      list.splice(0, Math.max(0, kept));
    }
  }
}
