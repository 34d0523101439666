// SPDX-License-Identifier: Apache-2.0
// Results and their pictures: andon-inspect uploads some of them to a bucket, under the day's prefix.
import { objectPath, s3Names, type Answer } from './api';

export const UPLOADS = 'andon-uploads';

export interface Finding {
  label: string;
  confidence: number;
  box?: [number, number, number, number];
}

export function findings(message: Answer): Finding[] {
  return Array.isArray(message?.detections) ? message.detections : [];
}

export function pictureKey(thing: string, timestamp: string, image: string): string {
  return `${thing}/${timestamp.slice(0, 10).replaceAll('-', '/')}/${image}`;
}

// Of each prefix (a device's day) the names that are there, asked for once a minute at most.
const known = new Map<string, { at: number; names: Promise<Set<string>> }>();

export async function pictureOf(result: Answer): Promise<string | undefined> {
  const key = pictureKey(result.thing, result.timestamp, result.image);
  const prefix = key.slice(0, key.length - result.image.length);
  let entry = known.get(prefix);
  if (!entry || Date.now() - entry.at > 60_000) {
    entry = { at: Date.now(), names: s3Names(UPLOADS, prefix).catch(() => new Set<string>()) };
    known.set(prefix, entry);
  }
  const names = await entry.names;
  return names.has(key) ? objectPath(UPLOADS, key) : undefined;
}

// The same class has the same colour everywhere, and one that is told from its neighbours.
export function colourOf(label: string): string {
  let hash = 0;
  for (const letter of label) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return `hsl(${(hash * 47) % 360} 85% 55%)`;
}
