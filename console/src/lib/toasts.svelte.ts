// SPDX-License-Identifier: Apache-2.0
// What came of an act, for some seconds.
export interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad';
}
export const toasts = $state<Toast[]>([]);
let next = 1;
const MOST = 4;

export function toast(text: string, kind: Toast['kind'] = 'good') {
  const id = next++;
  toasts.push({ id, text, kind });
  if (toasts.length > MOST) toasts.shift();
  setTimeout(() => drop(id), kind === 'bad' ? 12_000 : 4000);
}

export function drop(id: number) {
  const at = toasts.findIndex((one) => one.id === id);
  if (at >= 0) toasts.splice(at, 1);
}
