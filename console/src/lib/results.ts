// SPDX-License-Identifier: Apache-2.0
// Results and their pictures, of which andon-inspect uploads some.
import { objectPath, type Answer } from './api';

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
