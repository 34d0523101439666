// SPDX-License-Identifier: Apache-2.0
// Results and their pictures, of which andon-inspect uploads some.
import { objectPath, type Answer } from './api';

export interface Finding {
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

// The same class has the same colour everywhere, and one that is told from its neighbours.
export function colourOf(label: string): string {
  let hash = 0;
  for (const letter of label) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return `hsl(${(hash * 47) % 360} 85% 55%)`;
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
