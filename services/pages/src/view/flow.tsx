// How fast messages come, and how long they take through each stage.

import { count, rate, UNKNOWN } from "../figures.ts";
import type { History } from "../history.ts";
import type { Lag, Rates, Status } from "../status.ts";
import { span } from "../times.ts";
import { Chart } from "./chart.tsx";
import { Figure, Figures, Panel } from "./panel.tsx";

export function RateView(props: { status: Status; zone: string; history: History }) {
  const rates: Rates | null = props.status.rates;
  return (
    <Panel id="rate" title="Messages a second">
      <Figures>
        <Figure name="received" value={rate(rates?.received_per_s ?? null)} />
        <Figure name="applied" value={rate(rates?.applied_per_s ?? null)} />
        <Figure name="observations stored" value={rate(rates?.observations_per_s ?? null)} />
      </Figures>
      <Chart history={props.history} zone={props.zone} version={props.status.time} />
    </Panel>
  );
}

interface Stage {
  name: string;
  value: number | null | undefined;
  explained: string;
}

export function LagView({ lag }: { lag: Lag | null }) {
  const stages: Stage[] = [
    {
      name: "Gateway",
      value: lag?.gateway_s,
      explained: "from reading a message to the log's confirmation",
    },
    { name: "Log", value: lag?.log_s, explained: "how long the oldest message has been waiting" },
    { name: "Store", value: lag?.store_s, explained: "to decode and store the last batch" },
  ];
  return (
    <Panel id="lag" title="Lag by stage">
      <ol class="stages">
        {stages.map(({ name, value, explained }) => (
          <li key={name}>
            <span class="name">{name}</span>
            <span class="number">
              {value === null || value === undefined ? UNKNOWN : span(value)}
            </span>
            <span class="explained">{explained}</span>
          </li>
        ))}
        <li class="pending">
          <span class="name">Pending</span>
          <span class="number">{count(lag?.pending ?? null)}</span>
          <span class="explained">messages on the log that are not applied yet</span>
        </li>
      </ol>
    </Panel>
  );
}
