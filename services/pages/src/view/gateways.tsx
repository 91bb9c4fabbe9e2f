// The doors that devices connect to, and the log that they write.

import { count, percent, rate, share, size } from "../figures.ts";
import type { Broker, Gateway, LogFill, Status } from "../status.ts";
import { span } from "../times.ts";
import { Nothing, Panel, Table } from "./panel.tsx";

const LOG_STATES: Record<string, string> = {
  ready: "ready",
  slow: "slow",
  full: "full",
  away: "does not answer",
};

export function GatewaysView({ status }: { status: Status }) {
  return (
    <Panel id="gateways" title="Gateways and log">
      <LogView log={status.log} />
      {status.gateways.length === 0 ? (
        <Nothing>
          No gateway has told its state in the last seconds: devices may not be able to connect.
        </Nothing>
      ) : (
        <Table
          label="Gateways"
          heads={["Gateway", "State", "Connections", "Messages/s", "Unconfirmed"]}
        >
          {status.gateways.map((each) => (
            <Row key={each.name} of={each} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

/** Nothing where no broker is bridged: most cities begin without one. */
export function BrokersView({ status }: { status: Status }) {
  if (status.brokers.length === 0) {
    return null;
  }
  return (
    <Panel id="brokers" title="Bridged brokers" wide>
      <Table label="Brokers" heads={["Broker", "State", "Last message", "Messages/s", "In flight"]}>
        {status.brokers.map((each) => (
          <BrokerRow key={`${each.name} ${each.client}`} of={each} at={status} />
        ))}
      </Table>
    </Panel>
  );
}

function BrokerRow({ of, at }: { of: Broker; at: Status }) {
  const words = of.reason || of.warning;
  const last = of.last === null ? null : (Date.parse(at.time) - Date.parse(of.last)) / 1000;
  return (
    <tr>
      <th scope="row">
        {of.name}
        <span class="id">{of.client}</span>
      </th>
      <td class={of.reason === "" ? "state" : "state wrong"}>
        {of.connected ? "connected" : <strong>not connected</strong>}
        <span class="id">
          {words === ""
            ? `MQTT ${of.version}, session ${of.session_present ? "kept" : "new"}`
            : words}
        </span>
      </td>
      <td>{last === null ? "none yet" : `${span(Math.max(last, 0))} ago`}</td>
      <td class="number">{rate(of.messages_per_s)}</td>
      <td class="number">{count(of.held)}</td>
    </tr>
  );
}

function Row({ of }: { of: Gateway }) {
  return (
    <tr>
      <th scope="row">
        {of.name}
        <span class="id">heard {span(of.age_s)} ago</span>
      </th>
      <td class={of.waiting ? "state wrong" : "state"}>
        {of.waiting ? <strong>waiting</strong> : "taking messages"}
        <span class="id">
          {of.reason === "" ? `log ${LOG_STATES[of.log] ?? of.log}` : of.reason}
        </span>
      </td>
      <td class="number">{count(of.connections)}</td>
      <td class="number">{rate(of.messages_per_s)}</td>
      <td class="number">
        {size(of.unacked_bytes)}
        <span class="id">of {size(of.unacked_limit_bytes)}</span>
      </td>
    </tr>
  );
}

function LogView({ log }: { log: LogFill | null }) {
  if (log === null) {
    return <Nothing>How full the log is is not known.</Nothing>;
  }
  const full = share(log.bytes, log.max_bytes);
  const words = full === null ? "fill unknown" : `${percent(full)} full`;
  return (
    <div class={log.state === "ready" ? "log" : "log wrong"}>
      <p>
        <strong>Log {LOG_STATES[log.state] ?? log.state}</strong>, {words}: {size(log.bytes)} of{" "}
        {size(log.max_bytes)}, {count(log.messages)} frames
      </p>
      {full === null ? null : (
        <div
          class="meter"
          role="meter"
          aria-label="Log fill"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(full * 100)}
          aria-valuetext={words}
        >
          <div style={{ width: `${full * 100}%` }} />
        </div>
      )}
    </div>
  );
}
