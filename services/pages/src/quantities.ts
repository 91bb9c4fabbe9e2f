// Names that people use for quantities, units and kinds of devices.

import { measured } from "./figures.ts";

const QUANTITIES: Record<string, string> = {
  pm1: "PM1",
  pm2_5: "PM2.5",
  pm4: "PM4",
  pm10: "PM10",
  no: "NO",
  no2: "NO₂",
  nox: "NOₓ",
  o3: "Ozone",
  so2: "SO₂",
  co: "CO",
  co2: "CO₂",
  temperature: "Temperature",
  humidity: "Humidity",
  pressure: "Air pressure",
  illuminance: "Brightness",
  wind_speed: "Wind",
  wind_direction: "Wind direction",
  rain_rate: "Rain",
  laeq: "Average level",
  lamax: "Loudest",
  lamin: "Quietest",
  la10: "Level, loudest 10 %",
  la50: "Level, median",
  la90: "Level, background",
  speed: "Speed",
  vehicles: "Vehicles",
  pedestrians: "Pedestrians",
  bicycles: "Bicycles",
  traffic_occupancy: "Road occupied",
  free_spaces: "Free spaces",
  occupied_spaces: "Occupied spaces",
  total_spaces: "Total spaces",
  occupied: "Occupied",
  fill_level: "Filled",
  fill_level_before: "Filled before collection",
  fill_level_after: "Filled after collection",
  level: "Level",
  flow: "Flow",
  volume: "Meter reading",
  battery_level: "Battery",
  battery_voltage: "Battery",
  lamp_on: "Lamp on",
  lamp_failure: "Lamp broken",
  door_open: "Door open",
  leak: "Leak",
  dimming: "Dimmed to",
  power: "Power",
  energy: "Energy used",
};

const SOUND = /^la(eq|max|min|\d+)$/;

const UNITS: Record<string, string> = {
  "ug/m3": "µg/m³",
  "mg/m3": "mg/m³",
  "[ppm]": "ppm",
  "[ppb]": "ppb",
  Cel: "°C",
  "[degF]": "°F",
  m3: "m³",
  "m3/h": "m³/h",
  "L/s": "l/s",
  L: "l",
  "kW.h": "kWh",
  "W.h": "Wh",
  "V.A": "VA",
  "W/m2": "W/m²",
  "deg/s": "°/s",
  "[pH]": "pH",
  "mm[Hg]": "mmHg",
  "[in_i'Hg]": "inHg",
  deg: "°",
  "1": "",
};

const KINDS: Record<string, string> = {
  air: "Air quality",
  noise: "Noise",
  traffic: "Traffic",
  parking: "Parking",
  waste: "Waste",
  water: "Water",
  light: "Street lighting",
  weather: "Weather",
  energy: "Energy",
};

// QARTOD, as the platform sets it.
const FLAGS: Record<number, string> = { 3: "suspect", 4: "failed its check", 9: "missing" };

/** Return what people call a quantity; one without a name keeps its own, without underscores. */
export function quantityName(quantity: string): string {
  return QUANTITIES[quantity] ?? capital(quantity.replaceAll("_", " "));
}

/** Return a UCUM unit as people write it. */
export function unitName(unit: string | null, quantity: string): string {
  if (unit === null) {
    return "";
  }
  return unit === "dB" && SOUND.test(quantity) ? "dB(A)" : (UNITS[unit] ?? unit);
}

/** Return what a kind of devices is called. */
export function kindName(kind: string): string {
  return KINDS[kind] ?? (kind === "" ? "Other" : capital(kind.replaceAll("_", " ")));
}

/** Return the words for a quality flag that somebody should know of; empty for a good one. */
export function flagWords(flag: number | null): string {
  return flag === null ? "" : (FLAGS[flag] ?? "");
}

/** Return a value with its unit: `12.5 µg/m³`, `yes`. */
export function valueWords(value: number | boolean | string | null, unit: string): string {
  if (value === null) {
    return "none";
  }
  if (typeof value === "boolean") {
    return value ? "yes" : "no";
  }
  const words = typeof value === "number" ? measured(value) : value;
  return unit === "" ? words : `${words}\u202f${unit}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
