// The rates of the last minutes as lines; the same in words beside it.

import { Component, createRef } from "preact";
import uPlot from "uplot";
import { rate } from "../figures.ts";
import type { History } from "../history.ts";
import { clock } from "../times.ts";

const HEIGHT_PX = 190;
const RECEIVED = "#0b5c8c";
const APPLIED = "#b04a00";
const GRID = { stroke: "#e3e8ed", width: 1 };
const AXIS = { stroke: "#44515e", font: "12px system-ui, sans-serif", grid: GRID, ticks: GRID };

interface Props {
  history: History;
  zone: string;
  /** Changes when there is something new to draw. */
  version: string;
}

export class Chart extends Component<Props, { pointed: number | null }> {
  override state = { pointed: null };
  #box = createRef<HTMLDivElement>();
  #plot: uPlot | null = null;
  #watcher: ResizeObserver | null = null;

  override componentDidMount(): void {
    const box = this.#box.current;
    if (box === null) {
      return;
    }
    this.#plot = new uPlot(this.#options(box.clientWidth), this.#data(), box);
    this.#watcher = new ResizeObserver(() => {
      this.#plot?.setSize({ width: box.clientWidth, height: HEIGHT_PX });
    });
    this.#watcher.observe(box);
  }

  override componentDidUpdate(before: Props): void {
    if (before.version !== this.props.version) {
      this.#plot?.setData(this.#data());
    }
  }

  override componentWillUnmount(): void {
    this.#watcher?.disconnect();
    this.#plot?.destroy();
  }

  override render() {
    const summary = this.props.history.summary();
    const words =
      summary === null
        ? "Message rate: no figures yet"
        : `Message rate of the last minutes: now ${rate(summary.latest)}, at most ${rate(summary.highest)} a second`;
    return (
      <>
        <div class="chart" role="img" aria-label={words} ref={this.#box} />
        <p class="legend">
          <span class="received">received</span> <span class="applied">applied (dashed)</span>{" "}
          <span class="readout">{this.#pointed()}</span>
        </p>
      </>
    );
  }

  #pointed(): string {
    const { history, zone } = this.props;
    const index: number | null = this.state.pointed;
    const time = index === null ? undefined : history.times[index];
    if (index === null || time === undefined) {
      const summary = history.summary();
      return summary === null ? "" : `highest ${rate(summary.highest)}/s`;
    }
    const at = clock(new Date(time * 1000), zone);
    return `${at}: received ${rate(history.received[index] ?? null)}/s, applied ${rate(history.applied[index] ?? null)}/s`;
  }

  #data(): uPlot.AlignedData {
    const { times, received, applied } = this.props.history;
    return [[...times], [...received], [...applied]];
  }

  #options(width: number): uPlot.Options {
    return {
      width,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      hooks: { setCursor: [(plot) => this.setState({ pointed: plot.cursor.idx ?? null })] },
      scales: {
        x: { time: true, range: () => this.props.history.window() },
        y: { range: (_, __, highest) => [0, Math.max(5, (highest ?? 0) * 1.1)] },
      },
      axes: [
        { ...AXIS, space: 70, values: (_, splits) => splits.map((each) => this.#minute(each)) },
        { ...AXIS, size: 58, values: (_, splits) => splits.map((each) => rate(each)) },
      ],
      series: [
        {},
        { stroke: RECEIVED, width: 2, fill: "#0b5c8c1f", points: { show: false } },
        { stroke: APPLIED, width: 2, dash: [6, 4], points: { show: false } },
      ],
    };
  }

  #minute(time_s: number): string {
    const words = clock(new Date(time_s * 1000), this.props.zone);
    return words.endsWith(":00") ? words.slice(0, 5) : words;
  }
}
