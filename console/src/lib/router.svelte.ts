// SPDX-License-Identifier: Apache-2.0
// Addresses behind '#', so that a page's address stands in no log of a server or proxy:
// "#/devices/line-1?tab=logs".
export interface Route {
  path: string[];
  query: Record<string, string>;
}

function read(): Route {
  const text = location.hash.replace(/^#\/?/, '');
  const [path, query = ''] = text.split('?', 2);
  return {
    path: path.split('/').filter(Boolean).map(decode),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = $state<Route>(read());
addEventListener('hashchange', () => Object.assign(route, read()));

export function to(path: (string | number)[], query: Record<string, string | undefined> = {}): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(set as [string, string][]).toString();
  return `#/${path.map((piece) => encodeURIComponent(piece)).join('/')}${text ? '?' + text : ''}`;
}

export function go(path: (string | number)[], query: Record<string, string | undefined> = {}) {
  location.hash = to(path, query);
}

// The same without a step back to what was there.
export function replace(path: (string | number)[]) {
  history.replaceState(null, '', to(path));
  Object.assign(route, read());
}

// The same page with another filter; one step back leads out of the page, not through each letter.
export function filter(change: Record<string, string | undefined>) {
  const query = { ...route.query, ...change };
  history.replaceState(null, '', to([...route.path], query));
  Object.assign(route, read());
}
