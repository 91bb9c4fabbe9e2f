// The newest values of each kind of devices.

import { counted } from "../figures.ts";
import { flagWords, kindName, quantityName, unitName, valueWords } from "../quantities.ts";
import type { LatestOfKind, LatestValue, Status } from "../status.ts";
import { moment } from "../times.ts";
import { Nothing, Panel } from "./panel.tsx";

export function LatestView({ status, zone }: { status: Status; zone: string }) {
  const now = new Date(status.time);
  return (
    <Panel id="latest" title="Latest values" wide>
      {status.latest.length === 0 ? (
        <Nothing>No value has been stored yet.</Nothing>
      ) : (
        <div class="kinds">
          {status.latest.map((kind) => <Kind key={kind.kind} of={kind} now={now} zone={zone} />)}
        </div>
      )}
    </Panel>
  );
}

function Kind({ of, now, zone }: { of: LatestOfKind; now: Date; zone: string }) {
  return (
    <article class="kind">
      <h3>{kindName(of.kind)} <span class="devices">{counted(of.devices, "device")}</span></h3>
      <table>
        <caption class="hidden">Latest values: {kindName(of.kind)}</caption>
        <thead class="hidden">
          <tr><th scope="col">Device and quantity</th><th scope="col">Value and time</th></tr>
        </thead>
        <tbody>
          {of.values.map((each) => (
            <Value key={`${each.device} ${each.quantity}`} of={each} now={now} zone={zone} />
          ))}
        </tbody>
      </table>
    </article>
  );
}

function Value({ of, now, zone }: { of: LatestValue; now: Date; zone: string }) {
  const doubt = flagWords(of.flag);
  return (
    <tr>
      <th scope="row" title={of.device}>
        {quantityName(of.quantity)}
        <span class="id">{of.name === null || of.name === "" ? of.device : of.name}</span>
      </th>
      <td class="number">
        {valueWords(of.value, unitName(of.unit, of.quantity))}
        {doubt === "" ? null : <strong class="doubt">{doubt}</strong>}
        <time class="id" dateTime={of.time}>{moment(new Date(of.time), now, zone)}</time>
      </td>
    </tr>
  );
}
