// What was refused and kept: how much, why, and the last of it.

import { count, counted } from "../figures.ts";
import { byCount, helps, reasonWords } from "../reasons.ts";
import type { Quarantine, QuarantineEntry, Status } from "../status.ts";
import { moment } from "../times.ts";
import { Nothing, Panel, Table } from "./panel.tsx";

export function QuarantineView({ status, zone }: { status: Status; zone: string }) {
  const { quarantine } = status;
  const now = new Date(status.time);
  return (
    <Panel
      id="quarantine"
      title="Quarantine"
      note="Messages that could not be accepted. They are kept, and can be read again once the cause is mended."
      wide
    >
      {quarantine === null ? (
        <Nothing>What is in quarantine is not known: the store does not answer.</Nothing>
      ) : quarantine.held === 0 ? (
        <Nothing>Nothing is in quarantine.</Nothing>
      ) : (
        <Held of={quarantine} now={now} zone={zone} />
      )}
    </Panel>
  );
}

function Held({ of, now, zone }: { of: Quarantine; now: Date; zone: string }) {
  const reasons = byCount(of.by_reason);
  const most = Math.max(1, ...reasons.map(([, many]) => many));
  return (
    <div class="held">
      <div>
        <p class="lead">
          <span class="number">{count(of.held)}</span>{" "}
          {of.held === 1 ? "message is" : "messages are"} held
        </p>
        <ul class="reasons" aria-label={counted(reasons.length, "reason")}>
          {reasons.map(([code, many]) => (
            <li key={code}>
              <span class="bar" aria-hidden="true" style={{ width: `${(many / most) * 100}%` }} />
              <span class="words">{reasonWords(code)}</span>
              <span class="number">{count(many)}</span>
            </li>
          ))}
        </ul>
        <h3>What helps</h3>
        <dl class="helps">
          {helps(of).map(({ words, command }) => (
            <div key={words}>
              <dt>{words}</dt>
              <dd>
                <code>{command}</code>
              </dd>
            </div>
          ))}
        </dl>
      </div>
      <div>
        <h3>Last {counted(of.entries.length, "message")}</h3>
        <Table label="Last messages in quarantine" heads={["Received", "Device", "Why"]}>
          {of.entries.map((each) => (
            <Entry key={each.id} of={each} now={now} zone={zone} />
          ))}
        </Table>
      </div>
    </div>
  );
}

function Entry({ of, now, zone }: { of: QuarantineEntry; now: Date; zone: string }) {
  return (
    <tr>
      <td class="number">{moment(new Date(of.received_at), now, zone)}</td>
      <th scope="row">
        {of.device === null || of.device === "" ? "no device named" : of.device}
        <span class="id">{of.topic}</span>
      </th>
      <td class="why">
        {of.words === "" ? reasonWords(of.reason) : of.words}
        <span class="id">{reasonWords(of.reason)}</span>
      </td>
    </tr>
  );
}
