// Watch observations arrive: off until somebody asks, since it moves and costs.

import { Component } from "preact";
import { count, counted } from "../figures.ts";
import { listen, liveUrl, Newest, type Connection } from "../live.ts";
import { flagWords, quantityName, unitName, valueWords } from "../quantities.ts";
import { clock } from "../times.ts";
import { Nothing, Panel, Table } from "./panel.tsx";

const REDRAW_MS = 500;

interface State {
  device: string;
  connection: Connection | null;
}

const SAID: Record<Connection, string> = {
  connecting: "Connecting…",
  open: "Watching.",
  broken: "The connection broke; it is being made again.",
  refused: "The platform does not send observations for this.",
};

export class LiveView extends Component<{ zone: string }, State> {
  override state: State = { device: "", connection: null };
  #newest = new Newest();
  #stop: (() => void) | null = null;

  override componentWillUnmount(): void {
    this.#end();
  }

  override render() {
    const { device, connection } = this.state;
    return (
      <Panel
        id="live"
        title="Watch observations arrive"
        note="Helps to see whether a device that was just connected is heard."
        wide
      >
        <form class="watch" onSubmit={(event) => this.#submitted(event)}>
          <label for="device">Only this device</label>
          <input
            id="device"
            type="text"
            autocomplete="off"
            spellcheck={false}
            value={device}
            aria-describedby="device-hint"
            disabled={connection !== null}
            onInput={(event) => this.setState({ device: event.currentTarget.value })}
          />
          <button type="submit">{connection === null ? "Watch" : "Stop"}</button>
          <span class="hint" id="device-hint">
            as provider/device; empty for all
          </span>
        </form>
        <p class="said" role="status">
          {connection === null ? "" : SAID[connection]}
        </p>
        {connection === null && this.#newest.seen === 0 ? null : this.#table()}
      </Panel>
    );
  }

  #table() {
    const { rows, seen, lost } = this.#newest;
    if (rows.length === 0) {
      return <Nothing>Nothing has arrived yet.</Nothing>;
    }
    return (
      <>
        <Table label="Newest observations" heads={["Measured", "Device", "Quantity", "Value"]}>
          {rows.map((each) => (
            <tr key={each.key}>
              <td class="number">{clock(new Date(each.time), this.props.zone)}</td>
              <th scope="row">{each.device}</th>
              <td>{quantityName(each.quantity)}</td>
              <td class="number">
                {valueWords(each.value, unitName(each.unit, each.quantity))}
                {flagWords(each.flag) === "" ? null : (
                  <strong class="doubt">{flagWords(each.flag)}</strong>
                )}
              </td>
            </tr>
          ))}
        </Table>
        <p class="note">
          {counted(seen, "observation")} since watching began
          {lost === 0
            ? "."
            : `; ${count(lost)} came faster than this page could take them, and are stored all the same.`}
        </p>
      </>
    );
  }

  #submitted(event: Event): void {
    event.preventDefault();
    if (this.state.connection === null) {
      this.#begin();
    } else {
      this.#end();
      this.setState({ connection: null });
    }
  }

  #begin(): void {
    this.#newest = new Newest();
    const close = listen(liveUrl(this.state.device), this.#newest, (connection) =>
      this.setState({ connection }),
    );
    // Rows come faster than a screen is worth redrawing.
    const timer = setInterval(() => this.forceUpdate(), REDRAW_MS);
    this.#stop = () => {
      clearInterval(timer);
      close();
    };
  }

  #end(): void {
    this.#stop?.();
    this.#stop = null;
  }
}
