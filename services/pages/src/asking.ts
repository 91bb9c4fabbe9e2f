// Ask the platform for its status about once a second, and say when it does not answer.

import { readStatus, UnreadableStatusError } from "./status.ts";
import type { Failure, Known } from "./verdict.ts";

export const EVERY_MS = 1000;
/** Longer than any healthy answer takes; a network that swallows packets is noticed by this. */
export const PATIENCE_MS = 5000;

/** What asking needs of the browser, so that it can be looked at without one. */
export interface World {
  fetch: (url: string, options: RequestInit) => Promise<Response>;
  now: () => Date;
  after: (ms: number, act: () => void) => void;
}

/** Asks again and again; an answer that is late is given up, never overtaken by the next question. */
export class Asking {
  readonly #url: string;
  readonly #world: World;
  readonly #tell: (known: Known) => void;
  readonly #opened: Date;
  #known: Known = { status: null, failure: null };
  #waiting = false;

  constructor(url: string, world: World, tell: (known: Known) => void) {
    this.#url = url;
    this.#world = world;
    this.#tell = tell;
    this.#opened = world.now();
  }

  /** Ask now and then once a second, for as long as the page is open. */
  async start(): Promise<void> {
    const asked = this.#world.now().getTime();
    await this.ask();
    const taken = this.#world.now().getTime() - asked;
    this.#world.after(Math.max(100, EVERY_MS - taken), () => void this.start());
  }

  /** Ask once, and tell what is known then; while an answer is awaited this does nothing. */
  async ask(): Promise<void> {
    if (this.#waiting) {
      return;
    }
    this.#waiting = true;
    this.#known = await this.#answered();
    this.#waiting = false;
    this.#tell(this.#known);
  }

  async #answered(): Promise<Known> {
    try {
      const answer = await this.#world.fetch(this.#url, {
        cache: "no-store",
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return answer.ok
        ? { status: readStatus(await answer.json()), failure: null }
        : this.#failed("error", `HTTP ${answer.status}`);
    } catch (error) {
      const strange = error instanceof UnreadableStatusError || error instanceof SyntaxError;
      return strange
        ? this.#failed("unreadable", error.message)
        : this.#failed("no answer", String(error));
    }
  }

  #failed(kind: Failure["kind"], detail: string): Known {
    const { status } = this.#known;
    const since = status === null ? this.#opened : new Date(status.time);
    return { status, failure: { kind, detail, since } };
  }
}
