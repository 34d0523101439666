// SPDX-License-Identifier: Apache-2.0
// Results and their pictures, of which andon-inspect uploads some.
import { objectPath, type Answer } from './api';
import { shell } from './format';

export interface Finding {
  class_id?: number;
  label: string;
  confidence: number;
  box?: [number, number, number, number];
}

export function findings(message: Answer): Finding[] {
  return Array.isArray(message?.detections) ? message.detections : [];
}

// Where its picture is, if it was uploaded: the server tells that of each result.
export function pictureOf(result: Answer): string | undefined {
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(result?.picture ?? '');
  return match ? objectPath(match[1], match[2]) : undefined;
}

// The same class has the same colour everywhere, that of frames that devices draw (vision/draw/canvas):
// of a finding that does not say its class's number, by its name.
const COLOURS = ['#e69f00', '#56b4e9', '#009e73', '#f0e442', '#d55e00', '#cc79a7'];
const GOLDEN = 0.618033988749895;
export function colourOf({ class_id: id, label }: Finding): string {
  if (id === undefined || id < 0) {
    let hash = 0;
    for (const letter of label) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
    return COLOURS[hash % COLOURS.length];
  }
  return COLOURS[id] ?? `hsl(${((id * GOLDEN) % 1) * 360} 65% 60%)`;
}

// Of counts by `found` and `verdict`: how many pictures, in how many something was found, how many
// have a verdict, and of those how many are NG. A finding is no reject: a presence check looks for
// what must be there.
export interface Shares {
  looked: number;
  found: number;
  judged: number;
  rejected: number;
  doubtful: number;
}
export function sharesOf(counts: Answer[]): Shares {
  const shares = { looked: 0, found: 0, judged: 0, rejected: 0, doubtful: 0 };
  for (const { count, found, verdict } of counts) {
    shares.looked += count;
    if (found) shares.found += count;
    if (verdict === 'OK' || verdict === 'NG' || verdict === 'DOUBT') shares.judged += count;
    if (verdict === 'NG') shares.rejected += count;
    if (verdict === 'DOUBT') shares.doubtful += count;
  }
  return shares;
}

// What an address says of which results are meant; `group` is a thing group: a line, a hall.
const CHOICES = ['group', 'thing', 'class', 'verdict', 'minScore', 'maxScore', 'from', 'until'] as const;
export type Choice = Partial<Record<(typeof CHOICES)[number], string>>;
export function choiceOf(query: Record<string, string>): Choice {
  return Object.fromEntries(CHOICES.filter((name) => query[name]).map((name) => [name, query[name]]));
}

// An address has times as clocks show them here; those that are none are left out.
function instant(time: string | undefined): string | undefined {
  const date = new Date(time ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

// The same as ListResults, ExportResults and CountResults have it.
export function askedOf({ group, from, until, ...same }: Choice): Record<string, string> {
  const times = { from: instant(from), until: instant(until) };
  const asked = { ...same, thingGroupName: group, ...times };
  return Object.fromEntries(Object.entries(asked).filter((one): one is [string, string] => one[1] !== undefined));
}

const OPTIONS: Record<string, string> = {
  thingGroupName: 'group', thing: 'thing', class: 'class', verdict: 'verdict',
  minScore: 'min-score', maxScore: 'max-score', from: 'from', until: 'until',
};
export function cliOf(asked: Record<string, string>): string {
  const options = Object.entries(OPTIONS).filter(([name]) => asked[name]);
  return ['andon result list', ...options.map(([name, option]) => `--${option} ${shell(asked[name])}`)].join(' ');
}
