// The whole page, top to bottom in the order in which an operator asks.

import type { History } from "../history.ts";
import type { Status } from "../status.ts";
import { clock, knownZone, zoneName } from "../times.ts";
import type { Known, Verdict } from "../verdict.ts";
import { CardsView } from "./cards.tsx";
import { DevicesView } from "./devices.tsx";
import { LagView, RateView } from "./flow.tsx";
import { BrokersView, GatewaysView } from "./gateways.tsx";
import { LatestView } from "./latest.tsx";
import { LedgerView } from "./ledger.tsx";
import { LiveView } from "./live.tsx";
import { QuarantineView } from "./quarantine.tsx";
import { VerdictView } from "./verdict.tsx";

export function Page({ known, said, history }: { known: Known; said: Verdict; history: History }) {
  const { status, failure } = known;
  return (
    <>
      <Header status={status} />
      <main id="main" tabIndex={-1}>
        <VerdictView said={said} />
        {status === null ? null : (
          <div class={failure === null ? "panels" : "panels stale"}>
            <Panels status={status} history={history} />
          </div>
        )}
      </main>
      <Footer status={status} />
    </>
  );
}

function Header({ status }: { status: Status | null }) {
  if (status === null) {
    return (
      <header>
        <h1>Madina</h1>
      </header>
    );
  }
  const zone = knownZone(status.timezone);
  const now = new Date(status.time);
  return (
    <header>
      <h1>
        {status.city} <span class="question">Is the city's data whole right now?</span>
      </h1>
      <p class="clock">
        <time dateTime={status.time}>{clock(now, zone)}</time>{" "}
        <span class="zone">{zoneName(now, zone)}</span>
      </p>
    </header>
  );
}

function Panels({ status, history }: { status: Status; history: History }) {
  const zone = knownZone(status.timezone);
  return (
    <>
      <LedgerView ledger={status.ledger} />
      <RateView status={status} zone={zone} history={history} />
      <LagView lag={status.lag} />
      <DevicesView status={status} zone={zone} />
      <GatewaysView status={status} />
      <BrokersView status={status} />
      <CardsView />
      <LatestView status={status} zone={zone} />
      <QuarantineView status={status} zone={zone} />
      <LiveView zone={zone} />
    </>
  );
}

function Footer({ status }: { status: Status | null }) {
  return (
    <footer>
      <p>Madina {status?.version ?? ""}</p>
      <nav aria-label="More">
        <a href="docs">API</a> <a href="v1/status">This page in JSON</a>{" "}
        <a href="metrics">Metrics</a>
      </nav>
    </footer>
  );
}
