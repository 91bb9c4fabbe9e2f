// What came in, and what became of it: two equations and their differences.

import { count, signed } from "../figures.ts";
import { differenceWords, equations, type Equation } from "../ledger.ts";
import type { Ledger } from "../status.ts";
import { Nothing, Panel } from "./panel.tsx";

export function LedgerView({ ledger }: { ledger: Ledger | null }) {
  return (
    <Panel
      id="ledger"
      title="Ledger"
      note="Everything that came in, and what became of it, since the beginning."
      wide
    >
      {ledger === null ? (
        <Nothing>
          The ledger is not known at the moment: the log or the store does not answer.
        </Nothing>
      ) : (
        equations(ledger).map((each) => <EquationView key={each.of} equation={each} />)
      )}
    </Panel>
  );
}

function EquationView({ equation }: { equation: Equation }) {
  const { of, total, terms } = equation;
  return (
    <div class="equation" data-of={of}>
      <h3>{of === "messages" ? "Messages" : "Observations"}</h3>
      <p class="terms">
        <Term {...total} />
        {terms.map((term, index) => (
          <span class="joined" key={term.name}>
            <span class="sign">{index === 0 ? "=" : "+"}</span>
            <Term {...term} />
          </span>
        ))}
      </p>
      <DifferenceView equation={equation} />
    </div>
  );
}

function Term({ name, value, explained }: { name: string; value: number; explained: string }) {
  return (
    <span class="term" title={explained}>
      <span class="number">{count(value)}</span> <span class="name">{name}</span>
    </span>
  );
}

function DifferenceView({ equation }: { equation: Equation }) {
  const { difference } = equation;
  if (difference === null) {
    return <p class="difference unknown">Difference unknown: the log does not answer</p>;
  }
  if (difference === 0) {
    return (
      <p class="difference good">
        <span aria-hidden="true">✓ </span>Difference 0: it balances
      </p>
    );
  }
  return (
    <p class="difference bad">
      <span aria-hidden="true">✕ </span>Difference {signed(difference)}: {differenceWords(equation)}
      . Please report this defect.
    </p>
  );
}
