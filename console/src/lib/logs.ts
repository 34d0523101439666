// SPDX-License-Identifier: Apache-2.0
// The newest lines of a log group, over all its streams. FilterLogEvents goes forward from a time,
// so it is asked of a longer and longer time until there are enough lines, and to the end of it.
import { call, type Answer } from './api';

export interface LogLine {
  id: string;
  time: number; // milliseconds since 1970
  text: string;
}

const MINUTE_MS = 60_000;
const TIMES_MS = [MINUTE_MS, 15 * MINUTE_MS, 4 * 60 * MINUTE_MS, 2 * 1440 * MINUTE_MS, 30 * 1440 * MINUTE_MS];
const PAGE = 2000;
const MOST_PAGES = 50;
// Lines come late, of a device with a bad link above all: so far back is looked again.
const LATE_MS = MINUTE_MS;

async function since(group: string, from: number, most: number): Promise<LogLine[]> {
  let lines: LogLine[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const found: Answer = await call('logs', 'FilterLogEvents', { logGroupName: group, startTime: from, limit: PAGE, ...(nextToken ? { nextToken } : {}) });
    const some = found.events.map((one: Answer) => ({ id: one.eventId, time: one.timestamp, text: one.message.trimEnd() }));
    lines = [...lines, ...some].slice(-most);
    nextToken = found.nextToken;
    if (!nextToken) break;
  }
  return lines;
}

// Whether a log group's name has a device's whole name in it: "/line/line-1" that of line-1, not
// "/line/line-10". What a name may hold does not end it.
export function namesDevice(group: string, device: string): boolean {
  const isOfName = (letter: string) => /[A-Za-z0-9:_-]/.test(letter);
  for (let at = group.indexOf(device); at >= 0; at = group.indexOf(device, at + 1)) {
    if (!isOfName(group.charAt(at - 1)) && !isOfName(group.charAt(at + device.length))) return true;
  }
  return false;
}

// Of a group that is not there: none.
export async function newestLines(group: string, most: number): Promise<LogLine[]> {
  let lines: LogLine[] = [];
  try {
    for (const time of TIMES_MS) {
      lines = await since(group, Date.now() - time, most);
      if (lines.length >= most) break;
    }
  } catch (error) {
    if (!(error as { isMissing?: boolean }).isMissing) throw error;
  }
  return lines;
}

// `lines` with what has come since, the newest `most` of them.
export async function withNewer(group: string, lines: LogLine[], most: number): Promise<LogLine[]> {
  const last = lines.at(-1);
  if (!last) return newestLines(group, most);
  const known = new Set(lines.map((one) => one.id));
  const more = (await since(group, last.time - LATE_MS, PAGE)).filter((one) => !known.has(one.id));
  if (!more.length) return lines;
  return [...lines, ...more].sort((a, b) => a.time - b.time).slice(-most);
}
