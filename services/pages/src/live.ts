// Observations as they are stored, from GET /v1/live: the newest few, and how many were missed.

/** One observation as the platform sends it. */
export interface Observation {
  device: string;
  quantity: string;
  value: number | boolean | string | null;
  unit: string | null;
  time: string;
  flag: number | null;
}

export type Connection = "connecting" | "open" | "broken" | "refused";

/** How many rows are kept: more cannot be read while they come. */
export const ROWS = 15;

/** The newest observations; whatever comes faster than people read is counted and forgotten. */
export class Newest {
  rows: (Observation & { key: number })[] = [];
  seen = 0;
  lost = 0;

  add(observation: Observation): void {
    this.seen += 1;
    this.rows = [{ ...observation, key: this.seen }, ...this.rows].slice(0, ROWS);
  }

  addLost(count: number): void {
    this.lost += count;
  }
}

/** Return the address of the live events of all devices, or of one. */
export function liveUrl(device: string): string {
  const wanted = device.trim();
  return wanted === "" ? "v1/live" : `v1/live?device=${encodeURIComponent(wanted)}`;
}

/** Listen until the returned function is called. */
export function listen(
  url: string,
  newest: Newest,
  changed: (connection: Connection) => void,
): () => void {
  const source = new EventSource(url);
  source.addEventListener("open", () => changed("open"));
  source.addEventListener("error", () => {
    changed(source.readyState === EventSource.CLOSED ? "refused" : "broken");
  });
  source.addEventListener("observation", ({ data }: MessageEvent<string>) => {
    newest.add(JSON.parse(data) as Observation);
  });
  source.addEventListener("lost", ({ data }: MessageEvent<string>) => {
    newest.addLost((JSON.parse(data) as { lost: number }).lost);
  });
  changed("connecting");
  return () => source.close();
}
