// SPDX-License-Identifier: Apache-2.0
// What who is signed in may do, so that nobody is offered a button that is refused: asked of
// SimulatePrincipalPolicy, once for each action. The server decides at each call all the same; of
// who may not ask this, nothing is known here, and a button tells by its first refusal.
import { untrack } from 'svelte';
import { call, type Answer } from './api';
import { nameOf } from './format';
import { session } from './session.svelte';
import { t } from '../text';

const known = $state<Record<string, boolean>>({});
let whose = '';
let mayAsk = true;
let wanted = new Map<string, Set<string>>(); // resources by action
const asked = new Set<string>();
const keyOf = (action: string, resource: string) => `${action} ${resource}`;

// "arn:aws:sts::0:assumed-role/viewer/eva" is asked for as its role.
function source(): string {
  const match = /^arn:aws:sts::(\d*):assumed-role\/([^/]+)\//.exec(session.who!.principal);
  return match ? `arn:aws:iam::${match[1]}:role/${match[2]}` : session.who!.principal;
}

async function askAll() {
  const these = wanted;
  wanted = new Map();
  const of = whose;
  for (const [action, resources] of these) {
    if (!mayAsk) return;
    try {
      const told: Answer = await call('iam', 'SimulatePrincipalPolicy', {
        PolicySourceArn: source(), ActionNames: [action], ResourceArns: [...resources],
      });
      if (of !== whose) return;
      for (const one of told.EvaluationResults) {
        known[keyOf(action, one.EvalResourceName)] = one.EvalDecision === 'allowed';
      }
    } catch {
      mayAsk = false;
    }
  }
}

function forget(principal: string) {
  whose = principal;
  mayAsk = true;
  asked.clear();
  for (const key of Object.keys(known)) delete known[key];
}

// To be called once a screen is made: asks for what is not known yet.
export function askWhether(action: string, resource: string) {
  const who = session.who;
  if (!who || who.kind === 'account' || !resource) return;
  untrack(() => note(who.principal, action, resource));
}

function note(principal: string, action: string, resource: string) {
  if (principal !== whose) forget(principal);
  const key = keyOf(action, resource);
  if (asked.has(key) || !mayAsk) return;
  asked.add(key);
  if (!wanted.size) queueMicrotask(() => void askAll());
  if (!wanted.has(action)) wanted.set(action, new Set());
  wanted.get(action)!.add(resource);
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
