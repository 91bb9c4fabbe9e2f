// Start: ask, remember rates, draw what is known.

import { render } from "preact";
import { Asking } from "./asking.ts";
import { History } from "./history.ts";
import { titleOf, verdict, type Known } from "./verdict.ts";
import { Page } from "./view/page.tsx";

const history = new History();
const root = document.getElementById("page");

function tell(known: Known): void {
  const { status, failure } = known;
  if (status !== null && failure === null) {
    history.add(Date.parse(status.time) / 1000, {
      received: status.rates?.received_per_s ?? null,
      applied: status.rates?.applied_per_s ?? null,
    });
  }
  if (failure !== null) {
    history.interrupt();
  }
  const said = verdict(known);
  document.title = titleOf(said, status?.city ?? null);
  if (root !== null) {
    render(<Page known={known} said={said} history={history} />, root);
  }
}

const world = {
  fetch: (url: string, options: RequestInit) => fetch(url, options),
  now: () => new Date(),
  after: (ms: number, act: () => void) => void setTimeout(act, ms),
};
root?.replaceChildren();
tell({ status: null, failure: null });
const asking = new Asking("v1/status", world, tell);
void asking.start();
// Hidden tabs are let ask seldom only: whoever comes back wants to know at once.
document.addEventListener("visibilitychange", () => void (document.hidden || asking.ask()));
