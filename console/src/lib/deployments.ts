// SPDX-License-Identifier: Apache-2.0
// Deployments as the screens need them: which devices, which components, what differs.
import { all, call, type Answer } from './api';
import { nameOf } from './format';

export interface Component {
  componentVersion: string;
  configurationUpdate?: { merge?: string; reset?: string[] };
  runWith?: Answer;
}
export type Components = Record<string, Component>;

export const isGroup = (targetArn: string) => targetArn.includes(':thinggroup/');

export async function devicesOf(targetArn: string, most = 500): Promise<string[]> {
  if (!isGroup(targetArn)) return [nameOf(targetArn)];
  const { items } = await all('iot', 'ListThingsInThingGroup', 'things', { thingGroupName: nameOf(targetArn), recursive: true, maxResults: 250 }, most);
  return items as unknown as string[];
}

// How the deployment is on each of its devices; eight are asked at a time.
export async function progressOf(deployment: Answer, most = 500): Promise<Answer[]> {
  const things = await devicesOf(deployment.targetArn, most);
  const found = new Map<string, Answer>();
  const waiting = [...things];
  const work = async () => {
    for (let thing = waiting.pop(); thing; thing = waiting.pop()) {
      const { items } = await all('greengrass', 'ListEffectiveDeployments', 'effectiveDeployments', { coreDeviceThingName: thing }, 200)
        .catch((error) => {
          if (error.isMissing) return { items: [] as Answer[] };
          throw error;
        });
      found.set(thing, items.find((one) => one.deploymentId === deployment.deploymentId));
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return things.map((thing) => ({ thing, ...found.get(thing) }));
}

// Newest first.
export async function revisionsOf(targetArn: string): Promise<Answer[]> {
  const { items } = await all('greengrass', 'ListDeployments', 'deployments', { targetArn, historyFilter: 'ALL', maxResults: 100 }, 300);
  return items.sort((a, b) => b.creationTimestamp - a.creationTimestamp);
}

export async function newestOf(targetArn: string): Promise<Answer | undefined> {
  const newest = (await revisionsOf(targetArn)).find((one) => one.isLatestForTarget);
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
  const merge = (one: Component) => JSON.stringify(parsed(one.configurationUpdate?.merge ?? '{}'));
  return (
    a.componentVersion === b.componentVersion &&
    merge(a) === merge(b) &&
    JSON.stringify(a.configurationUpdate?.reset ?? []) === JSON.stringify(b.configurationUpdate?.reset ?? [])
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export async function deployAgain(old: Answer): Promise<string> {
  const { deploymentId } = await call('greengrass', 'CreateDeployment', {
    targetArn: old.targetArn,
    ...(old.deploymentName ? { deploymentName: old.deploymentName } : {}),
    components: old.components ?? {},
    ...(old.deploymentPolicies ? { deploymentPolicies: old.deploymentPolicies } : {}),
    clientToken: unique(),
  });
  return deploymentId;
}

// randomUUID() is not there over plain HTTP from afar.
export function unique(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
