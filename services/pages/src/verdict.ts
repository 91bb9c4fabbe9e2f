// The one line on top: is the city's data whole right now?

import { counted } from "./figures.ts";
import { differenceWords, isKnown, unbalanced } from "./ledger.ts";
import type { Reason, Status } from "./status.ts";
import { clock, knownZone } from "./times.ts";

export type Level = "asking" | "well" | "warning" | "wrong" | "lost";

export interface Verdict {
  level: Level;
  /** One sentence for somebody without training. */
  words: string;
  /** What else is to say, one line each. */
  more: Line[];
}

export interface Line {
  part: string;
  level: "error" | "warning";
  words: string;
}

/** What the page knows: the last answer, and whether the last question was answered. */
export interface Known {
  status: Status | null;
  /** Why the last question had no usable answer; null where it had. */
  failure: Failure | null;
}

export interface Failure {
  kind: "no answer" | "error" | "unreadable";
  detail: string;
  /** Last usable answer by the platform's clock; before the first one, when the page was opened. */
  since: Date;
}

const PARTS: Record<string, string> = {
  gateway: "Gateway",
  bridge: "Bridge",
  log: "Log",
  ingest: "Ingest",
  store: "Store",
  ledger: "Ledger",
  registry: "Device register",
};

/** Return what a part of the platform is called on the page. */
export function partName(part: string): string {
  return PARTS[part] ?? sentence(part);
}

/** Return the verdict on what is known. */
export function verdict({ status, failure }: Known): Verdict {
  if (failure !== null) {
    return lost(failure, status);
  }
  if (status === null) {
    return { level: "asking", words: "Asking the platform…", more: [] };
  }
  const lines = [...status.reasons.map(line), ...ledgerLines(status)];
  const errors = lines.filter((each) => each.level === "error");
  if (!status.ready || errors.length > 0) {
    return { level: "wrong", words: headline(errors, lines), more: several(lines) };
  }
  if (lines.length > 0) {
    return { level: "warning", words: `Working, but: ${plain(lines)}`, more: several(lines) };
  }
  return { level: "well", words: "All is well: every message is accounted for.", more: [] };
}

function headline(errors: Line[], lines: Line[]): string {
  const [first] = errors;
  if (first === undefined) {
    return lines.length > 0
      ? `Not ready: ${plain(lines)}`
      : "The platform is not ready, and does not say why. Its logs do.";
  }
  return errors.length === 1 ? `${sentence(first.words)}.` : `${errors.length} things are wrong.`;
}

function plain(lines: Line[]): string {
  return lines.length === 1
    ? `${lines[0]?.words ?? ""}.`
    : `${lines.length} things need attention.`;
}

/** A single line is already said in the headline. */
function several(lines: Line[]): Line[] {
  return lines.length > 1 ? lines : [];
}

function line(reason: Reason): Line {
  return {
    part: partName(reason.part),
    level: reason.level === "warning" ? "warning" : "error",
    words: reason.words.replace(/\.$/, ""),
  };
}

/** Nobody may read "every message is accounted for" while nobody knows. */
const UNKNOWN_LEDGER: Line = {
  part: "Ledger",
  level: "warning",
  words: "whether every message is accounted for is not known at the moment",
};

/** A ledger that does not balance is said even where no reason of the platform does. */
function ledgerLines(status: Status): Line[] {
  if (status.reasons.some((each) => each.part === "ledger")) {
    return [];
  }
  if (!isKnown(status.ledger)) {
    return status.reasons.length > 0 ? [] : [UNKNOWN_LEDGER];
  }
  return unbalanced(status.ledger).map((each) => ({
    part: partName("ledger"),
    level: "error" as const,
    words: `the ledger does not balance: ${differenceWords(each)}`,
  }));
}

function lost(failure: Failure, status: Status | null): Verdict {
  const zone = status === null ? localZone() : knownZone(status.timezone);
  const since = clock(failure.since, zone);
  const words = {
    "no answer": `No answer from the platform since ${since}.`,
    error: `The platform answers with an error (${failure.detail}) since ${since}.`,
    unreadable: `What answers here is not the platform (${failure.detail}), since ${since}.`,
  }[failure.kind];
  const more =
    status === null
      ? "The page asks again every second"
      : `Figures below are from ${since}. The page asks again every second`;
  return { level: "lost", words, more: [{ part: "Page", level: "warning", words: more }] };
}

function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Return the verdict in three words, for the title of the tab. */
export function titleOf({ level, more }: Verdict, city: string | null): string {
  const problems = Math.max(1, more.length);
  const short = {
    asking: "…",
    well: "All well",
    warning: counted(problems, "warning"),
    wrong: `${counted(problems, "problem")}!`,
    lost: "No answer!",
  }[level];
  return `${short} - ${city ?? "Madina"}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
