// SPDX-License-Identifier: Apache-2.0
// Rules that tell somebody, and what a webhook needs beside its rule, each named after it: a
// connection, which keeps what it says of itself, a destination, and a role that may use it. Some of
// it may be there from before (a try that broke off, a rule that was deleted elsewhere): it is
// changed to what is wanted now. What cannot be finished takes away again what it has made.
import { call, type ApiError } from './api';
import { arnOf } from './may.svelte';

const PREFIX = 'alert-';
const POLICY = 'tell';
export const MOST_RULE_NAME = 64;
export const MOST_WEBHOOK_RULE_NAME = MOST_RULE_NAME - PREFIX.length; // of all three 64

export interface Webhook {
  url: string;
  header: string;
  value: string;
  description: string;
}

export function rightsOfWebhook(rule: string): [action: string, on: string][] {
  const name = PREFIX + rule;
  return [
    ['events:CreateConnection', arnOf('events', `connection/${name}`)],
    ['events:UpdateConnection', arnOf('events', `connection/${name}`)],
    ['events:CreateApiDestination', arnOf('events', `api-destination/${name}`)],
    ['events:UpdateApiDestination', arnOf('events', `api-destination/${name}`)],
    ['iam:CreateRole', arnOf('iam', `role/${name}`)],
    ['iam:PutRolePolicy', arnOf('iam', `role/${name}`)],
  ];
}

type Work<T = unknown> = () => Promise<T>;

// What was made, to be taken away again in the order of its making, backwards.
class Made {
  private readonly undo: Work[] = [];
  async make<T>(create: Work<T>, change: Work<T>, remove: Work): Promise<T> {
    try {
      const made = await create();
      this.undo.push(remove);
      return made;
    } catch (error) {
      if (!/AlreadyExists/.test((error as ApiError).code)) throw error;
      return change();
    }
  }
  // What cannot be taken away is changed by the next try.
  async takeBack() {
    for (const remove of this.undo.reverse()) await remove().catch(() => {});
  }
}

const removeDestination = (Name: string) => call('events', 'DeleteApiDestination', { Name });
const removeConnection = (Name: string) => call('events', 'DeleteConnection', { Name });
async function removeRole(RoleName: string) {
  await call('iam', 'DeleteRolePolicy', { RoleName, PolicyName: POLICY }).catch(() => {});
  await call('iam', 'DeleteRole', { RoleName });
}

async function makeWebhook(made: Made, rule: string, { url, header, value, description }: Webhook) {
  const Name = PREFIX + rule;
  const authorization = { AuthorizationType: 'API_KEY', AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: header, ApiKeyValue: value || '-' } } };
  const { ConnectionArn } = await made.make(
    () => call('events', 'CreateConnection', { Name, ...authorization }),
    () => call('events', 'UpdateConnection', { Name, ...authorization }),
    () => removeConnection(Name),
  );
  const endpoint = { Name, ConnectionArn, InvocationEndpoint: url, HttpMethod: 'POST' };
  const { ApiDestinationArn } = await made.make(
    () => call('events', 'CreateApiDestination', endpoint),
    () => call('events', 'UpdateApiDestination', endpoint),
    () => removeDestination(Name),
  );
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
  await made.make(
    () => call('iam', 'CreateRole', { RoleName: Name, Description: description, AssumeRolePolicyDocument: JSON.stringify(trust) }),
    () => Promise.resolve(undefined),
    () => removeRole(Name),
  );
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'events:InvokeApiDestination', Resource: ApiDestinationArn }] };
  await call('iam', 'PutRolePolicy', { RoleName: Name, PolicyName: POLICY, PolicyDocument: JSON.stringify(policy) });
  return { Id: 'webhook', Arn: ApiDestinationArn as string, RoleArn: arnOf('iam', `role/${Name}`) };
}

export interface AlertRule {
  name: string;
  pattern: string;
  description: string;
}
type Target = { Id: string; Arn: string; RoleArn?: string };

// `tells`: a webhook, or the target of a rule with this ARN.
export async function makeAlert({ name, pattern, description }: AlertRule, tells: Webhook | ((ruleArn: string) => Target)) {
  const made = new Made();
  try {
    const webhook = typeof tells === 'function' ? undefined : await makeWebhook(made, name, tells);
    const rule = { Name: name, EventPattern: pattern, Description: description };
    const isThere = await call('events', 'DescribeRule', { Name: name }).then(() => true, (error: ApiError) => {
      if (!error.isMissing) throw error;
      return false;
    });
    const put = () => call('events', 'PutRule', rule);
    // One that tells nobody is not left behind.
    const { RuleArn } = isThere ? await put() : await made.make(put, put, () => call('events', 'DeleteRule', { Name: name }));
    const target = webhook ?? (tells as (ruleArn: string) => Target)(RuleArn);
    const { FailedEntries = [] } = await call('events', 'PutTargets', { Rule: name, Targets: [target] });
    if (FailedEntries.length) throw new Error(FailedEntries[0].ErrorMessage ?? FailedEntries[0].ErrorCode);
  } catch (error) {
    await made.takeBack();
    throw error;
  }
}

// With what its webhook needed, as far as whoever deletes it may.
export async function removeAlert(rule: string, targets: Target[]) {
  if (targets.length) await call('events', 'RemoveTargets', { Rule: rule, Ids: targets.map((one) => one.Id) });
  await call('events', 'DeleteRule', { Name: rule });
  const name = PREFIX + rule;
  if (!targets.some((one) => one.Arn.includes(`:api-destination/${name}/`))) return;
  for (const remove of [removeDestination, removeConnection, removeRole]) {
    await remove(name).catch((error: ApiError) => {
      if (!error.isDenied && !error.isMissing) throw error;
    });
  }
}
