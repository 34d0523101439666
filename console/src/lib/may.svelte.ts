// SPDX-License-Identifier: Apache-2.0
// What who is signed in may do, so that nobody is offered a button that is refused: asked of
// GetOwnAccess, once for each action on each thing. The server decides at each call all the same; of
// what is not known yet a button tells by its first refusal.
import { untrack } from 'svelte';
import { call, type Answer } from './api';
import { nameOf } from './format';
import { session } from './session.svelte';
import { t } from '../text';

const MOST_QUESTIONS = 200; // of one call
const MOST_KNOWN = 5000;
const AGAIN_MS = 3000;

const known = $state<Record<string, boolean>>({});
let whose = '';
let wanted: [action: string, resource: string][] = [];
let isAsking = false;
const asked = new Set<string>();
const keyOf = (action: string, resource: string) => `${action} ${resource}`;

// One call after the other; one that has failed (a server that is started anew) is made again.
async function askAll() {
  if (isAsking) return;
  isAsking = true;
  while (wanted.length && session.who) {
    const these = wanted.splice(0, MOST_QUESTIONS);
    const of = whose;
    try {
      const questions = these.map(([action, resource]) => ({ action, resource }));
      const told: Answer = await call('andon', 'GetOwnAccess', { questions });
      if (of !== whose) continue;
      for (const one of told.answers) known[keyOf(one.action, one.resource)] = one.isAllowed;
    } catch {
      if (of === whose) wanted.unshift(...these);
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
  isAsking = false;
}

function forget(principal: string) {
  whose = principal;
  wanted = [];
  asked.clear();
  for (const key of Object.keys(known)) delete known[key];
}

// To be called once a screen is made: asks for what is not known yet.
export function askWhether(action: string, resource: string) {
  const who = session.who;
  if (!who || who.kind === 'account' || !resource) return;
  untrack(() => note(who.id, action, resource));
}

// The answers are of a session: another one of the same user may have less.
function note(sessionId: string, action: string, resource: string) {
  if (sessionId !== whose || asked.size >= MOST_KNOWN) forget(sessionId);
  const key = keyOf(action, resource);
  if (asked.has(key)) return;
  asked.add(key);
  wanted.push([action, resource]);
  queueMicrotask(() => void askAll());
}

// Why it may not be done; empty where it may, or where nothing is known.
export function whyNot(action: string, resource: string): string {
  return known[keyOf(action, resource)] === false ? t.errors.mayNot(action) : '';
}

// Something of the same region and account as `other`: the exact name, as policies have it.
export function arnBeside(other: string | undefined, service: string, resource: string): string {
  const [, , , region, account] = (other ?? '').split(':');
  return account === undefined ? '' : `arn:aws:${service}:${region}:${account}:${resource}`;
}

// Something of this server, by its exact name, as policies have it.
export function arnOf(service: string, resource: string): string {
  if (!session.who) return '';
  const { region, account } = session.who;
  return `arn:aws:${service}:${service === 'iam' ? '' : region}:${account}:${resource}`;
}

export function commandArn(kind: string, thingArn: string | undefined): string {
  return arnBeside(thingArn, 'andon', `command/${kind}/${nameOf(thingArn)}`);
}
