// Times in the city's time zone, and lengths of time in words that fit a table.

const formats = new Map<string, Intl.DateTimeFormat>();

function format(
  zone: string,
  kind: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${zone} ${kind}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone, hourCycle: "h23" });
    formats.set(key, found);
  }
  return found;
}

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
const DAY = { weekday: "short", day: "numeric", month: "short" } as const;
const WHOLE = { year: "numeric", month: "2-digit", day: "2-digit" } as const;

/** Return a zone that the browser knows: the one asked for, else UTC. */
export function knownZone(zone: string): string {
  try {
    format(zone, "clock", CLOCK);
    return zone;
  } catch {
    return "UTC";
  }
}

/** Return the time of day, `12:03:04`. */
export function clock(time: Date, zone: string): string {
  return format(zone, "clock", CLOCK).format(time);
}

/** Return the time of day, and the day before it where that is not today's. */
export function moment(time: Date, now: Date, zone: string): string {
  const day = format(zone, "whole", WHOLE);
  const today = day.format(time) === day.format(now);
  return today
    ? clock(time, zone)
    : `${format(zone, "day", DAY).format(time)} ${clock(time, zone)}`;
}

/** Return the zone with what people call it now: `Europe/Madrid (CET)`. */
export function zoneName(time: Date, zone: string): string {
  const parts = format(zone, "name", { ...CLOCK, timeZoneName: "short" }).formatToParts(time);
  const short = parts.find((part) => part.type === "timeZoneName")?.value;
  return short === undefined || short === zone ? zone : `${zone} (${short})`;
}

/** Return a length of time in its largest two units: `340 ms`, `2.5 s`, `3 min`, `2 h 6 min`, `4 d 3 h`. */
export function span(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 0.9995) {
    return `${Math.round(s * 1000)} ms`;
  }
  if (s < 59.5) {
    return s < 9.95 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`;
  }
  const minutes = Math.round(s / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  if (minutes < 48 * 60) {
    return two(minutes, 60, "h", "min");
  }
  return two(Math.round(minutes / 60), 24, "d", "h");
}

function two(small: number, size: number, large: string, rest: string): string {
  const left = small % size;
  return `${Math.floor(small / size)} ${large}${left === 0 ? "" : ` ${left} ${rest}`}`;
}
