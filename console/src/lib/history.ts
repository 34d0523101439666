// SPDX-License-Identifier: Apache-2.0
// What an execution's events say of its states. Events form chains by previousEventId: one for the
// machine itself, one for each branch and iteration.
import { all, call, type Answer } from './api';

const OF_A_PAGE = 1000;
const MOST = 25_000; // that an execution may have

// The events of one execution, oldest first; asked again it reads what is new.
export class History {
  #arn = '';
  #events: Answer[] = [];

  async read(executionArn: string): Promise<Answer[]> {
    const last: number = executionArn === this.#arn ? (this.#events.at(-1)?.id ?? 0) : 0;
    const input = { executionArn, maxResults: OF_A_PAGE };
    if (!last) {
      const { items } = await all('states', 'GetExecutionHistory', 'events', input, MOST);
      [this.#arn, this.#events] = [executionArn, items];
      return items;
    }
    const newer: Answer[] = [];
    for (let nextToken: string | undefined; ; ) {
      const page: Answer = await call('states', 'GetExecutionHistory', { ...input, reverseOrder: true, maxResults: newer.length ? OF_A_PAGE : 100, ...(nextToken ? { nextToken } : {}) });
      newer.push(...page.events.filter((event: Answer) => event.id > last));
      nextToken = page.nextToken;
      if (!nextToken || page.events.at(-1).id <= last) break;
    }
    if (executionArn === this.#arn && newer.length) this.#events = [...this.#events, ...newer.reverse()];
    return this.#events;
  }
}

export type Progress = 'running' | 'succeeded' | 'failed' | 'aborted' | 'caught';
// What is told of a state with several visits at once: the first of these that one of them is.
const WORST: Progress[] = ['running', 'failed', 'aborted', 'caught', 'succeeded'];

export interface Visit {
  name: string;
  kind: string; // of state: Task, Map, ...
  entered?: number;
  exited?: number;
  input?: string;
  output?: string;
  error?: string; // of the last attempt
  cause?: string;
  failed: number; // attempts
  aborted?: boolean;
  over?: boolean; // all that is inside it has ended
  iteration?: number;
  mapRun?: string;
  scope: Scope;
}
// The machine itself, a branch of a Parallel or an iteration of a Map.
interface Scope {
  owner: Place | null;
  iteration?: number;
}
// Where a chain is after an event: within a visit, or between two.
interface Place {
  visit: Visit | null;
  scope: Scope;
}

const detailsOf = (event: Answer): Answer => Object.entries(event).find(([key]) => key.endsWith('EventDetails'))?.[1] ?? {};

// Outwards from a place, the first visit that fits.
function around(place: Place | null, fits: (visit: Visit) => boolean): Place | null {
  while (place && !(place.visit && fits(place.visit))) place = place.scope.owner;
  return place;
}

export function visitsOf(events: Answer[], status: string): { visits: Map<string, Visit[]>; progress: Map<string, Progress> } {
  const visits = new Map<string, Visit[]>();
  const places = new Map<number, Place>();
  const machine: Place = { visit: null, scope: { owner: null } };
  let entered = machine; // the last place that was
  const placeAfter = (event: Answer): Place => {
    const before = places.get(event.previousEventId) ?? machine;
    const details = detailsOf(event);
    if (event.type.endsWith('StateEntered')) {
      const scope: Scope = before.visit ? { owner: before } : before.scope;
      const visit: Visit = { name: details.name, kind: event.type.replace('StateEntered', ''), entered: event.timestamp, input: details.input, failed: 0, iteration: scope.iteration, scope };
      visits.set(visit.name, [...(visits.get(visit.name) ?? []), visit]);
      entered = { visit, scope };
      return entered;
    }
    if (event.type.endsWith('StateExited')) {
      const left = around(before, (visit) => visit.name === details.name);
      if (left) Object.assign(left.visit!, { exited: event.timestamp, output: details.output });
      return { visit: null, scope: left?.scope ?? before.scope };
    }
    if (event.type === 'MapIterationStarted') return { visit: null, scope: { owner: before, iteration: details.index } };
    if (event.type.startsWith('MapIteration')) return before;
    // It goes on where it had stopped.
    if (event.type === 'ExecutionRedriven') return entered;
    if (event.type.startsWith('Execution')) return before;
    const whole = /^(Map|Parallel)State(Succeeded|Failed)$/.exec(event.type)?.[1];
    const place = whole ? around(before, (visit) => visit.kind === whole && !visit.over) : before;
    if (place?.visit) note(event, details, place.visit);
    if (whole && place?.visit) place.visit.over = true;
    return place ?? before;
  };
  for (const event of events) places.set(event.id, placeAfter(event));
  return { visits, progress: new Map([...visits].map(([name, list]): [string, Progress] => [name, progressOf(list, status)])) };
}

function note(event: Answer, details: Answer, visit: Visit) {
  if (details.mapRunArn) visit.mapRun = details.mapRunArn;
  if (/Aborted$/.test(event.type)) visit.aborted = true;
  else if (/(Failed|TimedOut)$/.test(event.type)) Object.assign(visit, { error: details.error ?? visit.error ?? '', cause: details.cause ?? visit.cause, failed: visit.failed + 1 });
  else if (/Succeeded$/.test(event.type)) Object.assign(visit, { error: undefined, cause: undefined });
}

// Of each branch and iteration the last visit counts.
function progressOf(visits: Visit[], status: string): Progress {
  const last = new Map(visits.map((visit): [Scope, Visit] => [visit.scope, visit]));
  const told = new Set([...last.values()].map((visit) => progressOfOne(visit, status)));
  return WORST.find((one) => told.has(one))!;
}

function progressOfOne(visit: Visit, status: string): Progress {
  if (visit.exited !== undefined) return visit.error !== undefined ? 'caught' : 'succeeded';
  if (visit.error !== undefined || visit.kind === 'Fail') return status === 'RUNNING' && visit.kind !== 'Fail' && isOpen(visit) ? 'running' : 'failed';
  if (visit.aborted || !isOpen(visit)) return 'aborted';
  if (status === 'RUNNING') return 'running';
  // An execution that is over leaves no state running: where it stopped, it failed.
  return status === 'SUCCEEDED' ? 'succeeded' : 'failed';
}

// Nothing that it is inside has been left.
function isOpen(visit: Visit): boolean {
  for (let owner = visit.scope.owner; owner; owner = owner.scope.owner) {
    if (owner.visit && (owner.visit.exited !== undefined || owner.visit.over)) return false;
  }
  return true;
}
