// SPDX-License-Identifier: Apache-2.0
// What changes on the server, as Server-Sent Events: kinds of things, not the things themselves.
// The browser comes back by itself with the last event's id, so nothing is missed; many changes at
// once are one event.
import { untrack } from 'svelte';
import { ApiError } from './api';
import { findSession, session } from './session.svelte';

export const KINDS = ['devices', 'deployments', 'models', 'executions', 'results', 'objects', 'triggers', 'functions', 'access', 'upkeep'] as const;
export type Kind = (typeof KINDS)[number];

// `ready` once the place among the events is known: what a screen loads after that misses nothing.
export const live = $state<{ seen: Record<Kind, number>; connected: boolean; ready: boolean }>({
  seen: Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>,
  connected: true,
  ready: false,
});

// The server answers within 25 s, also where nothing has changed. What it tells nobody of (what has
// come to its end by time) is seen as often as that, too.
const LONGEST_MS = 30_000;

let source: EventSource | null = null;
let again: ReturnType<typeof setTimeout> | undefined;
let doubt: ReturnType<typeof setTimeout> | undefined;
let untold: ReturnType<typeof setInterval> | undefined;

// A browser has six connections to a server for all its pages: one that nobody sees holds none.
document.addEventListener('visibilitychange', () => {
  if (!session.who) return;
  if (document.hidden) stop();
  else {
    changeAll();
    listen();
  }
});

function changeAll() {
  for (const kind of KINDS) live.seen[kind] += 1;
}

export function listen() {
  stop();
  source = new EventSource('/console/events');
  source.addEventListener('changed', (event) => {
    live.connected = true;
    live.ready = true;
    const kinds = String((event as MessageEvent).data).split(' ');
    for (const kind of KINDS) if (kinds.includes(kind)) live.seen[kind] += 1;
  });
  source.addEventListener('open', () => (live.connected = true));
  source.addEventListener('error', () => {
    // An answer that has ended is one as well. What has not come by LONGEST_MS, has failed twice or is
    // refused is worth a doubt.
    if (source?.readyState === EventSource.CLOSED || doubt !== undefined) void comeBack();
    else doubt = setTimeout(comeBack, LONGEST_MS);
  });
  source.addEventListener('open', noDoubt);
  untold = setInterval(changeAll, LONGEST_MS);
}

// The server is asked who we are: it may have ended the session, have been started anew, or be away.
async function comeBack() {
  stop();
  live.ready = true;
  live.connected = await findSession();
  if (!session.who) return;
  if (!live.connected) again = setTimeout(comeBack, 2000);
  else {
    changeAll();
    listen();
  }
}

export function stop() {
  source?.close();
  source = null;
  clearTimeout(again);
  clearInterval(untold);
  noDoubt();
}

function noDoubt() {
  clearTimeout(doubt);
  doubt = undefined;
}

// How often what is put together of much is asked for again, however fast it changes.
export const SELDOM_MS = 10_000;

// What load() gives, asked for again when things of these kinds have changed: at most once in
// `everyMs`, the last change always.
export function resource<T>(load: () => Promise<T>, kinds: readonly Kind[] = [], everyMs = 1_000) {
  const state = $state<{ data: T | undefined; error: ApiError | undefined; loading: boolean }>({
    data: undefined,
    error: undefined,
    loading: true,
  });
  let asked = 0;
  let busy = false;
  let dirty = false;
  let begun = 0;
  let later: ReturnType<typeof setTimeout> | undefined;
  async function refresh() {
    if (busy) {
      dirty = true;
      return;
    }
    busy = true;
    begun = Date.now();
    const number = ++asked;
    try {
      const data = await load();
      if (number === asked) {
        state.data = data;
        state.error = undefined;
      }
    } catch (error) {
      if (number === asked) state.error = asError(error);
    }
    state.loading = false;
    busy = false;
    if (dirty) {
      dirty = false;
      changed();
    }
  }
  function changed() {
    const wait = begun + everyMs - Date.now();
    if (wait <= 0) void refresh();
    else
      later ??= setTimeout(() => {
        later = undefined;
        void refresh();
      }, wait);
  }
  // What load() reads before it waits makes it run again, newest first.
  $effect(() => {
    void session.who?.id;
    busy = false;
    void refresh();
  });
  let isFirst = true;
  $effect(() => {
    for (const kind of kinds) void live.seen[kind];
    if (!isFirst) untrack(changed);
    isFirst = false;
  });
  $effect(() => () => clearTimeout(later));
  return {
    get data() {
      return state.data;
    },
    get error() {
      return state.error;
    },
    get loading() {
      return state.loading;
    },
    refresh,
  };
}

export function asError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, 'Failed', String(error));
}
