// SPDX-License-Identifier: Apache-2.0
// Deployments as the screens need them: which devices, which components, what differs.
import { all, ApiError, call, type Answer } from './api';
import { t } from '../text';

export interface Component {
  componentVersion: string;
  configurationUpdate?: { merge?: string; reset?: string[] };
  runWith?: Answer;
}
export type Components = Record<string, Component>;

export const isGroup = (targetArn: string) => targetArn.includes(':thinggroup/');

// Of which a screen shows more a page.
const OF_PROGRESS = '200';
export interface Progress {
  devices: Answer[];
  counts: [status: string, devices: number][]; // of all, also of those that are not shown
  next?: string;
}

// How the deployment is on its devices: a page of them, those that `status` names alone.
export async function progressOf(deploymentId: string, status = '', nextToken?: string): Promise<Progress> {
  const page = await call('andon', 'ListDeploymentDevices', {
    deploymentId, maxResults: OF_PROGRESS, ...(status ? { status } : {}), ...(nextToken ? { nextToken } : {}),
  });
  return { devices: page.devices, counts: Object.entries(page.counts), next: page.nextToken };
}

// Newest first, as the server lists them.
export function revisionsOf(targetArn: string, most: number): Promise<{ items: Answer[]; more: boolean }> {
  return all('greengrass', 'ListDeployments', 'deployments', { targetArn, historyFilter: 'ALL', maxResults: Math.min(most, 100) }, most);
}

export async function newestOf(targetArn: string): Promise<Answer | undefined> {
  const { items } = await all('greengrass', 'ListDeployments', 'deployments', { targetArn, historyFilter: 'LATEST_ONLY' });
  const newest = items.find((one) => one.isLatestForTarget);
  return newest && call('greengrass', 'GetDeployment', { deploymentId: newest.deploymentId });
}

export interface Difference {
  name: string;
  kind: 'added' | 'removed' | 'changed' | 'kept';
  before?: Component;
  after?: Component;
}

export function differences(before: Components, after: Components): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.map((name) => {
    const [old, now] = [before[name], after[name]];
    const kind = !old ? 'added' : !now ? 'removed' : same(old, now) ? 'kept' : 'changed';
    return { name, kind, before: old, after: now };
  });
}

function same(a: Component, b: Component): boolean {
  const merge = (one: Component) => stable(parsed(one.configurationUpdate?.merge ?? '{}'));
  return (
    a.componentVersion === b.componentVersion &&
    merge(a) === merge(b) &&
    JSON.stringify(a.configurationUpdate?.reset ?? []) === JSON.stringify(b.configurationUpdate?.reset ?? []) &&
    stable(a.runWith ?? {}) === stable(b.runWith ?? {})
  );
}

// Whatever the order of its members.
export function stable(value: unknown): string {
  return JSON.stringify(value, (_key, one) =>
    one && typeof one === 'object' && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => a.localeCompare(b))) : one,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// What a deployment has beside its components, as it was given: the next one of its target has it, too.
export function policiesOf(old: Answer): { deploymentPolicies?: Answer; iotJobConfiguration?: Answer; parentTargetArn?: string } {
  return Object.fromEntries(
    ['deploymentPolicies', 'iotJobConfiguration', 'parentTargetArn'].filter((name) => old?.[name] && Object.keys(old[name]).length).map((name) => [name, old[name]]),
  );
}

// What one is told of them, beside what happens if it fails.
export function wordsOf(deployment: Answer): [string, string][] {
  const { deploymentPolicies: policies = {}, iotJobConfiguration: job = {} } = deployment;
  const words: [string, unknown][] = [
    [t.deps.update, policies.componentUpdatePolicy && `${t.deps.updates[policies.componentUpdatePolicy.action] ?? ''} ${t.deps.seconds(policies.componentUpdatePolicy.timeoutInSeconds)}`],
    [t.deps.validation, policies.configurationValidationPolicy && t.deps.seconds(policies.configurationValidationPolicy.timeoutInSeconds)],
    [t.deps.rollout, job.jobExecutionsRolloutConfig],
    [t.deps.abort, job.abortConfig],
    [t.deps.timeout, job.timeoutConfig],
  ];
  return words.filter((one) => one[1]).map(([label, value]) => [label, typeof value === 'string' ? value : stable(value)]);
}

// What a device gives as the reason, in words: that it went well needs none beside its state.
export function reasonOf(reason: string | undefined): string {
  return t.deps.reasons[reason ?? ''] ?? reason ?? '';
}

export async function deployAgain(old: Answer): Promise<string> {
  const { deploymentId } = await call('greengrass', 'CreateDeployment', {
    targetArn: old.targetArn,
    ...(old.deploymentName ? { deploymentName: old.deploymentName } : {}),
    components: old.components ?? {},
    ...policiesOf(old),
    clientToken: unique(),
  });
  return deploymentId;
}

// randomUUID() is not there over plain HTTP from afar.
export function unique(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

const MOST_NEEDED = 100;

// The newest version that fits all requirements (who: which), as devices get it: with the sizes and
// digests of its files. Where there is none the server's error names what is wanted and what is there.
async function resolved(componentName: string, versionRequirements: Record<string, string>): Promise<{ recipe: string }> {
  const answer = await call('greengrass', 'ResolveComponentCandidates', { componentCandidates: [{ componentName, versionRequirements }] });
  const bytes = Uint8Array.from(atob(answer.resolvedComponentVersions[0].recipe), (letter) => letter.charCodeAt(0));
  return { recipe: new TextDecoder().decode(bytes) };
}

// The recipe of a component that is to be deployed (none where it is not registered), and of what it
// needs, and what that needs, a sentence for each that the server does not have. `fixed`: the versions
// that will be on the device. The agent's own components are not registered.
export async function lookUp(name: string, fixed: Record<string, string>): Promise<{ recipe?: string; lacking: string[] }> {
  const lacking: string[] = [];
  let recipe: string | undefined;
  const seen = new Set([name]);
  const open: { name: string; by: string; requirement: string }[] = [{ name, by: t.deps.thisOne, requirement: fixed[name] }];
  for (let one = open.shift(); one && seen.size <= MOST_NEEDED; one = open.shift()) {
    try {
      const found = await resolved(one.name, { [one.by]: one.requirement, ...(fixed[one.name] && one.name !== name ? { [t.deps.deployed]: fixed[one.name] } : {}) });
      if (one.name === name) recipe = found.recipe;
      const needs = Object.entries((JSON.parse(found.recipe).ComponentDependencies ?? {}) as Record<string, { VersionRequirement?: string }>);
      for (const [needed, { VersionRequirement }] of needs) {
        if (seen.has(needed) || needed.startsWith('aws.greengrass.')) continue;
        seen.add(needed);
        open.push({ name: needed, by: one.name, requirement: VersionRequirement ?? '*' });
      }
    } catch (error) {
      if (!(error instanceof ApiError && error.isMissing)) throw error;
      lacking.push(error.message);
    }
  }
  return { recipe, lacking };
}
