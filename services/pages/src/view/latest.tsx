// The newest values of each kind of devices.

import { counted } from "../figures.ts";
import { byDevice, type HeardDevice } from "../latest.ts";
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
          {status.latest.map((kind) => (
            <Kind key={kind.kind} of={kind} now={now} zone={zone} />
          ))}
        </div>
      )}
    </Panel>
  );
}

function Kind({ of, now, zone }: { of: LatestOfKind; now: Date; zone: string }) {
  return (
    <article class="kind">
      <h3>
        {kindName(of.kind)} <span class="devices">{counted(of.devices, "device")}</span>
      </h3>
      {byDevice(of.values).map((each) => (
        <Heard key={each.device} of={each} now={now} zone={zone} />
      ))}
    </article>
  );
}

function Heard({ of, now, zone }: { of: HeardDevice; now: Date; zone: string }) {
  return (
    <div class="heard">
      <p class="id" title={of.device}>
        {of.name} <time dateTime={of.time}>{moment(new Date(of.time), now, zone)}</time>
      </p>
      <dl>
        {of.values.map((each) => (
          <Value key={each.quantity} of={each} />
        ))}
      </dl>
    </div>
  );
}

function Value({ of }: { of: LatestValue }) {
  const doubt = flagWords(of.flag);
  return (
    <div>
      <dt>{quantityName(of.quantity)}</dt>
      <dd>
        {doubt === "" ? null : <strong class="doubt">{doubt}</strong>}{" "}
        {valueWords(of.value, unitName(of.unit, of.quantity))}
      </dd>
    </div>
  );
}
