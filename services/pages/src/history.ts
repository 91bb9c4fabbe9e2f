// The last minutes of rates, kept in the page: nothing is asked again after a reload.

/** How far the chart reaches back, in seconds: this much at most, and at least. */
export const REACH_S = 600;
export const REACH_LEAST_S = 120;

/** Browsers let hidden tabs ask once a minute: that is no pause. */
const PAUSE_S = 90;

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
  add(time_s: number, rates: Rates): void {
    const last = this.times.at(-1);
    if (last !== undefined && time_s <= last) {
      return;
    }
    if (last !== undefined && time_s - last > PAUSE_S) {
      this.interrupt();
    }
    this.#push(time_s, rates);
    this.#forget(time_s - REACH_S);
  }

  /** Draw no line from the last point to the next one: nothing was heard between them. */
  interrupt(): void {
    const last = this.times.at(-1);
    if (last !== undefined && this.received.at(-1) !== null) {
      this.#push(last + 0.001, { received: null, applied: null });
    }
  }

  /** Return the first and last second to show: the axis grows with what is known. */
  window(): [number, number] {
    const last = this.times.at(-1) ?? 0;
    const known = last - (this.times[0] ?? 0);
    return [last - Math.min(REACH_S, Math.max(REACH_LEAST_S, known)), last];
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
