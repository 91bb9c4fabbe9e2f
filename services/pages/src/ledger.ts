// The ledger as two equations: what came in is what became of it.

import { counted } from "./figures.ts";
import type { Ledger } from "./status.ts";

export interface Term {
  name: string;
  value: number;
  explained: string;
}

export interface Equation {
  of: "messages" | "observations";
  total: Term;
  terms: Term[];
  /** Total minus terms; null while the log does not answer. */
  difference: number | null;
}

/** Return the equations of messages and of observations. */
export function equations(ledger: Ledger): Equation[] {
  const { messages, observations, difference } = ledger;
  return [
    {
      of: "messages",
      total: term("received", messages.received, "Messages that gateways took from devices"),
      terms: [
        term("accepted", messages.accepted, "Understood and stored"),
        term("quarantined", messages.quarantined, "Refused, and kept with the reason"),
        term("duplicate", messages.duplicate, "Sent again by a device, counted once"),
        term("pending", messages.pending, "On the log, about to be read"),
      ],
      difference: difference?.messages ?? null,
    },
    {
      of: "observations",
      total: term("decoded", observations.decoded, "Readings found in accepted messages"),
      terms: [
        term("stored", observations.stored, "Readings that are in the store"),
        term("duplicate", observations.duplicate, "The same reading again"),
        term(
          "rejected",
          observations.rejected,
          "Readings that can not be true or have no known unit",
        ),
      ],
      difference: difference?.observations ?? null,
    },
  ];
}

/** Return what a difference means: what came in and became nothing, or came out twice. */
export function differenceWords({ of, difference }: Equation): string {
  const value = difference ?? 0;
  const one = of === "messages" ? "message" : "observation";
  const many = Math.abs(value);
  const is = many === 1 ? "is" : "are";
  return `${counted(many, one)} ${is} ${value > 0 ? "missing" : "counted more than once"}`;
}

/** Say whether both differences are known. */
export function isKnown(ledger: Ledger | null): ledger is Ledger {
  return ledger !== null && equations(ledger).every((each) => each.difference !== null);
}

/** Return the equations that do not balance. */
export function unbalanced(ledger: Ledger): Equation[] {
  return equations(ledger).filter((each) => (each.difference ?? 0) !== 0);
}

function term(name: string, value: number, explained: string): Term {
  return { name, value, explained };
}
