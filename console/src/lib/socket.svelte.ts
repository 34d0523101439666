// SPDX-License-Identifier: Apache-2.0
// The page's one WebSocket (docs/console.md): messages of the broker and frames of devices. It is
// there while somebody listens, comes back by itself, and then each listener asks anew.
import { sessionEnded } from './session.svelte';

export interface Listener {
  opened: () => void;
  closed: () => void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the server says
  took: (told: any) => void;
}

const AGAIN_MS = 2000;
const SESSION_ENDED = 4401;
const listeners = new Set<Listener>();
let socket: WebSocket | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

export function join(listener: Listener) {
  listeners.add(listener);
  if (socket?.readyState === WebSocket.OPEN) listener.opened();
  else if (!socket && timer === undefined) connect();
}

export function leave(listener: Listener) {
  listeners.delete(listener);
  if (listeners.size) return;
  clearTimeout(timer);
  timer = undefined;
  socket?.close();
  socket = undefined;
}

export function ask(what: object) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(what));
}

function connect() {
  timer = undefined;
  const made = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/console/socket`);
  socket = made;
  made.onopen = () => {
    for (const one of listeners) one.opened();
  };
  made.onmessage = (event) => {
    const told = JSON.parse(String(event.data));
    for (const one of listeners) one.took(told);
  };
  made.onclose = (event) => {
    if (socket !== made) return; // left, and perhaps made anew
    socket = undefined;
    for (const one of listeners) one.closed();
    if (event.code === SESSION_ENDED) sessionEnded();
    if (listeners.size) timer = setTimeout(connect, AGAIN_MS);
  };
}
