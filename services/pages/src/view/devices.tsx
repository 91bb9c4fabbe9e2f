// Which devices report, and which have been silent for longest.

import { count, counted } from "../figures.ts";
import { kindName } from "../quantities.ts";
import type { Devices, SilentDevice, Status } from "../status.ts";
import { moment, span } from "../times.ts";
import { Figure, Figures, Nothing, Panel, Table } from "./panel.tsx";

export function DevicesView({ status, zone }: { status: Status; zone: string }) {
  const { devices, silent } = status;
  const now = new Date(status.time);
  return (
    <Panel id="devices" title="Devices">
      {devices === null ? (
        <Nothing>How many devices there are is not known: the register does not answer.</Nothing>
      ) : (
        <Counts devices={devices} />
      )}
      <h3>Longest silent</h3>
      {silent.length === 0 ? (
        <Nothing>No device is silent.</Nothing>
      ) : (
        <Table
          label="Devices that are silent"
          heads={["Device", "Kind", "Silent for", "Expected every", "Last heard"]}
        >
          {silent.map((each) => (
            <Row key={each.device} silent={each} now={now} zone={zone} />
          ))}
        </Table>
      )}
      {devices !== null && devices.silent > silent.length ? (
        <p class="note">
          {counted(devices.silent - silent.length, "more device is", "more devices are")} silent.
        </p>
      ) : null}
    </Panel>
  );
}

function Counts({ devices }: { devices: Devices }) {
  return (
    <Figures>
      <Figure name="registered" value={count(devices.registered)} />
      <Figure name="reporting" value={count(devices.reporting)} />
      <Figure name="late" value={count(devices.late)} />
      <Figure
        name="silent"
        value={count(devices.silent)}
        state={devices.silent > 0 ? "warning" : undefined}
      />
      <Figure name="never heard" value={count(devices.never_seen)} />
      <Figure name="to be accepted" value={count(devices.pending)} />
    </Figures>
  );
}

function Row({ silent, now, zone }: { silent: SilentDevice; now: Date; zone: string }) {
  const { device, kind, name, last, expected_interval_s, silent_s } = silent;
  const shown = name === null || name === "" ? device : name;
  return (
    <tr>
      <th scope="row">
        {shown}
        {shown === device ? null : <span class="id">{device}</span>}
      </th>
      <td>{kindName(kind ?? "")}</td>
      <td class="number">{silent_s === null ? "always" : span(silent_s)}</td>
      <td class="number">{expected_interval_s === null ? "–" : span(expected_interval_s)}</td>
      <td class="number">{last === null ? "never" : moment(new Date(last), now, zone)}</td>
    </tr>
  );
}
