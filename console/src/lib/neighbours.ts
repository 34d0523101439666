// SPDX-License-Identifier: Apache-2.0
// The results beside one in a list of results, newest first, however long the list is: the server
// lists from the newest on, so the next newer one is the last of a short time behind this one, and
// where there is none, of a longer one.
import { call, type Answer } from './api';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
const TIMES_MS = [10 * SECOND_MS, 120 * SECOND_MS, 3600 * SECOND_MS, DAY_MS, 30 * DAY_MS, 3650 * DAY_MS];
const MOST_PAGES = 20;

export interface Neighbours {
  newer?: string;
  older?: string;
}

const iso = (ms: number) => new Date(ms).toISOString();
const isNewer = (one: Answer, than: Answer) => {
  const [a, b] = [Date.parse(one.timestamp), Date.parse(than.timestamp)];
  return a > b || (a === b && BigInt(one.resultId) > BigInt(than.resultId));
};

// Pages of what `asked` means, newest first, until `isEnough`.
async function read(asked: Record<string, string>, maxResults: number, isEnough: (page: Answer[]) => boolean): Promise<Answer[]> {
  let last: Answer[] = [];
  let nextToken: string | undefined;
  for (let number = 0; number < MOST_PAGES; number += 1) {
    const page: Answer = await call('andon', 'ListResults', { ...asked, maxResults: String(maxResults), ...(nextToken ? { nextToken } : {}) });
    if (page.results.length) last = page.results;
    nextToken = page.nextToken;
    if (!nextToken || isEnough(page.results)) break;
  }
  return last;
}

// `asked` as ListResults has it.
export async function neighboursOf(result: Answer, asked: Record<string, string>): Promise<Neighbours> {
  const time = Date.parse(result.timestamp);
  const end = asked.until ? Date.parse(asked.until) : Infinity;
  const isOlder = (one: Answer) => isNewer(result, one);
  const before = read({ ...asked, until: iso(Math.min(end, time + 1)) }, 50, (page) => page.some(isOlder));
  return { newer: await newerOf(result, asked, time, end), older: (await before).find(isOlder)?.resultId };
}

async function newerOf(result: Answer, asked: Record<string, string>, time: number, end: number): Promise<string | undefined> {
  const from = iso(Math.max(asked.from ? Date.parse(asked.from) : 0, time));
  const most = Math.min(end, Date.now() + DAY_MS);
  for (const span of TIMES_MS) {
    const until = Math.min(most, time + span);
    if (until <= time) return undefined;
    const found = await read({ ...asked, from, until: iso(until) }, 1000, () => false);
    const newer = found.filter((one) => isNewer(one, result)).at(-1);
    if (newer || until === most) return newer?.resultId;
  }
  return undefined;
}
