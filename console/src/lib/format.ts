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

export function full(time: Time): string {
  const date = dateOf(time);
  if (!date) return '';
  const two = (number: number) => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

// Of all times that are shown and typed.
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

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

// One word of a shell, whatever is in it.
export function shell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
