// Numbers as people read them.

const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const VALUE = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 4 });

/** What stands where a part of the platform does not answer. */
export const UNKNOWN = "unknown";

/** Return a count with thousands apart: `12,345`. */
export function count(value: number | null): string {
  return value === null ? UNKNOWN : WHOLE.format(value);
}

/** Return a count with its sign, as differences are shown: `+3`, `−17`, `0`. */
export function signed(value: number): string {
  return value === 0 ? "0" : `${value > 0 ? "+" : "−"}${WHOLE.format(Math.abs(value))}`;
}

/** Return a rate a second: `812`, `0.4`. */
export function rate(value: number | null): string {
  return value === null ? UNKNOWN : (Math.abs(value) < 10 ? SMALL : WHOLE).format(value);
}

/** Return a measured value: four digits, but never a whole number cut short. */
export function measured(value: number): string {
  return (Math.abs(value) >= 1000 ? WHOLE : VALUE).format(value);
}

/** Return a count with its noun: `1 device`, `3 devices`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const STEPS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** Return a size: `512 bytes`, `64 MiB`, `1.5 GiB`. */
export function size(bytes: number | null): string {
  if (bytes === null) {
    return UNKNOWN;
  }
  let step = 0;
  let left = bytes;
  while (left >= 1024 && step < STEPS.length - 1) {
    left /= 1024;
    step += 1;
  }
  return `${(left < 10 && step > 0 ? SMALL : WHOLE).format(left)} ${STEPS[step]}`;
}

/** Return how full something is: `0.2 %`, `87 %`; null where that cannot be said. */
export function share(part: number | null, whole: number | null): number | null {
  return part === null || whole === null || whole <= 0 ? null : Math.min(1, part / whole);
}

/** Return a share in per cent. */
export function percent(value: number): string {
  const hundredth = value * 100;
  if (hundredth > 0 && hundredth < 0.1) {
    return "under 0.1 %";
  }
  return `${(hundredth < 10 ? SMALL : WHOLE).format(hundredth)} %`;
}
