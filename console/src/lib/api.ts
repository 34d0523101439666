// SPDX-License-Identifier: Apache-2.0
// Calls of the server's operations with the session's cookie. Answers are the operation's own
// output; times are seconds since 1970 or ISO 8601, as each service has them.
import { isAttended, used, watchAttention } from './attended';
import { session, sessionEnded } from './session.svelte';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- shapes are AWS's, not ours
export type Answer = any;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
  get isDenied() {
    return this.status === 403;
  }
  get isMissing() {
    return this.status === 404 || /NotFound|DoesNotExist|NoSuch|ResourceNotFound/.test(this.code);
  }
}

// How many questions have no answer yet, screens that are loaded among them, for whoever drives the
// page (data-asking of <html>); a call that waits for something to happen is none.
let asking = 0;
export async function asked<T>(work: Promise<T>): Promise<T> {
  document.documentElement.dataset.asking = String((asking += 1));
  try {
    return await work;
  } finally {
    document.documentElement.dataset.asking = String((asking -= 1));
  }
}

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {};
  if (session.who) headers['X-Andon-Csrf'] = session.who.csrfToken;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (isAttended()) used();
  else headers['X-Andon-Unattended'] = '1';
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch {
    throw new ApiError(0, 'Unreachable', 'the server cannot be reached');
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let answer: Answer = {};
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    answer = { message: text.slice(0, 300) };
  }
  if (response.ok) return answer;
  throw new ApiError(
    response.status,
    answer.code ?? String(response.status),
    answer.message ?? response.statusText,
  );
}

export async function ask(method: string, path: string, body?: unknown): Promise<Answer> {
  return asked(send(method, path, body).then(answerOf));
}

export async function call(service: string, operation: string, input: object = {}): Promise<Answer> {
  const answer = (async () => {
    const response = await send('POST', `/console/call/${service}/${operation}`, input);
    if (response.status === 401) sessionEnded();
    return answerOf(response);
  })();
  return 'waitSeconds' in input ? answer : asked(answer);
}

watchAttention(() => {
  if (session.who) call('sts', 'GetCallerIdentity').catch(() => {});
});

// Every page of a list, up to `most` elements; `more` says that there are others.
export async function all(
  service: string,
  operation: string,
  member: string,
  input: Record<string, unknown> = {},
  most = 2000,
): Promise<{ items: Answer[]; more: boolean }> {
  const key = TOKENS[service] ?? 'nextToken';
  const items: Answer[] = [];
  let token: string | undefined;
  do {
    const page: Answer = await call(service, operation, token ? { ...input, [key]: token } : input);
    items.push(...(page[member] ?? []));
    token = page[key === 'Marker' ? 'Marker' : key] ?? undefined;
    if (service === 'lambda') token = page.NextMarker;
  } while (token && items.length < most);
  return { items, more: Boolean(token) };
}

// What `ask` tells of each, in their order; a few are asked for at a time.
const AT_ONCE = 8;
export async function each<One, Told>(items: One[], ask: (one: One) => Promise<Told>): Promise<Told[]> {
  const told: Told[] = [];
  const waiting = [...items.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) told[next[0]] = await ask(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return told;
}

// How each service calls its token of the next page.
const TOKENS: Record<string, string> = {
  sagemaker: 'NextToken',
  events: 'NextToken',
  scheduler: 'NextToken',
  cloudtrail: 'NextToken',
  iam: 'Marker',
  lambda: 'Marker',
};

// Objects of the store; the path of one is also the source of a picture.
export function objectPath(bucket: string, key = ''): string {
  const keyPath = key.split('/').map(encodeURIComponent).join('/');
  return `/console/s3/${encodeURIComponent(bucket)}${key ? '/' + keyPath : ''}`;
}

async function object(method: string, path: string): Promise<Response> {
  const response = await send(method, path);
  if (response.status === 401) sessionEnded();
  if (!response.ok) await answerOf(response);
  return response;
}

export async function s3List(path: string): Promise<Document> {
  const text = await asked(object('GET', path).then((response) => response.text()));
  return new DOMParser().parseFromString(text, 'text/xml');
}

export async function s3Json(uri: string): Promise<Answer> {
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri);
  if (!match) throw new ApiError(400, 'NoObject', uri);
  return asked(object('GET', objectPath(match[1], match[2])).then((response) => response.json()));
}

export async function s3Delete(bucket: string, key: string): Promise<void> {
  await asked(object('DELETE', objectPath(bucket, key)));
}
