// SPDX-License-Identifier: Apache-2.0
import { t } from '../text';

export type Time = number | string | undefined | null;

export function dateOf(time: Time): Date | undefined {
  if (time === undefined || time === null || time === '') return undefined;
  const date = typeof time === 'number' ? new Date(time * 1000) : new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

export function ago(time: Time, now = Date.now()): string {
  const date = dateOf(time);
  if (!date) return t.never;
  const seconds = Math.round((now - date.getTime()) / 1000);
  if (seconds < 5) return t.justNow;
  if (seconds < 60) return t.secondsAgo(seconds);
  if (seconds < 3600) return t.minutesAgo(Math.floor(seconds / 60));
  if (seconds < 86_400) return t.hoursAgo(Math.floor(seconds / 3600));
  return t.daysAgo(Math.floor(seconds / 86_400));
}

const two = (number: number) => String(number).padStart(2, '0');

// As clocks show it where the browser is: "2026-11-30 18:05:09 UTC+1".
export function full(time: Time): string {
  const date = dateOf(time);
  return date ? `${day(date)} ${clock(date)} ${zone(date)}` : '';
}

// "2026-11-30", there.
export function day(time: Time | Date): string {
  const date = time instanceof Date ? time : dateOf(time);
  return date ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}` : '';
}

// "18:05:09", or with milliseconds "18:05:09.123".
export function clock(time: Time | Date, withMs = false): string {
  const date = time instanceof Date ? time : dateOf(time);
  if (!date) return '';
  const seconds = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMs ? `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}` : seconds;
}

// "UTC", "UTC+1", "UTC-3:30": that of the browser, at that time.
export function zone(date = new Date()): string {
  const minutes = -date.getTimezoneOffset();
  if (!minutes) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '-' : '+'}${hours}${rest ? `:${two(rest)}` : ''}`;
}


export function took(from: Time, until: Time): string {
  const a = dateOf(from);
  const b = dateOf(until);
  if (!a || !b) return '';
  const ms = b.getTime() - a.getTime();
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function bytes(count: number | undefined): string {
  if (count === undefined || Number.isNaN(count)) return '';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

// "arn:aws:iot:us-east-1:000000000000:thinggroup/hall-1" -> "hall-1".
export function nameOf(arn: string | undefined): string {
  if (!arn) return '';
  return arn.slice(Math.max(arn.lastIndexOf('/'), arn.lastIndexOf(':')) + 1);
}

// Without what is the same in every name of this server.
export function shortArn(arn: string): string {
  return arn.replace(/^arn:aws:([^:]*):[^:]*:\d*:/, '$1:');
}

export function pretty(text: unknown): string {
  if (text === undefined || text === null) return '';
  if (typeof text !== 'string') return JSON.stringify(text, null, 2);
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// A policy's document, which IAM tells percent-encoded.
export function decoded(document: unknown): unknown {
  if (typeof document !== 'string') return document;
  try {
    return decodeURIComponent(document);
  } catch {
    return document;
  }
}

// What is measured, by four digits: "0.7551"; counts as they are.
export function figure(value: unknown): string {
  if (value === undefined || value === null) return '–';
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(4) : String(value);
}

// How much `its` is above or below `old`, where both are numbers.
export function difference(its: unknown, old: unknown): string {
  if (typeof its !== 'number' || typeof old !== 'number') return '';
  const by = its - old;
  return Math.abs(by) < 1e-9 ? '0' : `${by > 0 ? '+' : '−'}${figure(Math.abs(by))}`;
}

// A name that machines read, short: of a random one ("3a9d4093-4f76-…") its beginning.
export function shortName(name: string): string {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}$/.test(name) ? `${name.slice(0, 8)}…` : name;
}

// One word of a shell, whatever is in it.
export function shell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
