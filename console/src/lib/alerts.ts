// SPDX-License-Identifier: Apache-2.0
// What alerts have beside their rule. A webhook has three things of its own, named after the alert: a
// connection, which keeps what it says of itself, a destination, and a role that may use it. They
// come and go with the alert.
import { call, type Answer } from './api';
import { nameOf } from './format';
import { arnOf } from './may.svelte';
import { t } from '../text';

type Needs = [action: string, on: string][];

const roleOf = (alert: string) => `alert-${alert}`.slice(0, 64);
const POLICY = 'tell';

function needsOf(alert: string, connection: string, destination: string, role: string, policy: string): Needs {
  const roleArn = arnOf('iam', `role/${roleOf(alert)}`);
  return [
    [connection, arnOf('events', `connection/${alert}`)],
    [destination, arnOf('events', `api-destination/${alert}`)],
    [role, roleArn],
    [policy, roleArn],
  ];
}

export function webhookNeeds(alert: string): Needs {
  return needsOf(alert, 'events:CreateConnection', 'events:CreateApiDestination', 'iam:CreateRole', 'iam:PutRolePolicy');
}

// The target of a rule, and what takes back all that was made for it. What goes wrong leaves nothing
// behind; a connection or a destination that is there, of the same name, is somebody else's.
export async function makeWebhook(alert: string, url: string, header: string, value: string): Promise<{ target: Answer; undo: () => Promise<void> }> {
  const made: (() => Promise<unknown>)[] = [];
  const undo = async () => {
    for (const step of made.reverse()) await step().catch(() => {});
  };
  const RoleName = roleOf(alert);
  try {
    const { ConnectionArn } = await call('events', 'CreateConnection', {
      Name: alert, AuthorizationType: 'API_KEY',
      AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: header, ApiKeyValue: value || '-' } },
    });
    made.push(() => call('events', 'DeleteConnection', { Name: alert }));
    const { ApiDestinationArn } = await call('events', 'CreateApiDestination', {
      Name: alert, ConnectionArn, InvocationEndpoint: url, HttpMethod: 'POST',
    });
    made.push(() => call('events', 'DeleteApiDestination', { Name: alert }));
    await call('iam', 'CreateRole', {
      RoleName, Description: t.alerts.roleOf(alert),
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' }] }),
    });
    made.push(() => call('iam', 'DeleteRole', { RoleName }));
    await call('iam', 'PutRolePolicy', {
      RoleName, PolicyName: POLICY,
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'events:InvokeApiDestination', Resource: ApiDestinationArn }] }),
    });
    made.push(() => call('iam', 'DeleteRolePolicy', { RoleName, PolicyName: POLICY }));
    return { target: { Id: 'webhook', Arn: ApiDestinationArn, RoleArn: arnOf('iam', `role/${RoleName}`) }, undo };
  } catch (error) {
    await undo();
    throw error;
  }
}

// Whether the rule tells a webhook that was made with it.
export function hasOwnWebhook(rule: Answer): boolean {
  return rule.targets.some((one: Answer) => one.Id === 'webhook' && nameOf(one.RoleArn) === roleOf(rule.Name));
}

export function removalNeeds(rule: Answer): Needs {
  return [
    ['events:DeleteRule', rule.Arn],
    ['events:RemoveTargets', rule.Arn],
    ...(hasOwnWebhook(rule) ? needsOf(rule.Name, 'events:DeleteConnection', 'events:DeleteApiDestination', 'iam:DeleteRole', 'iam:DeleteRolePolicy') : []),
  ];
}

// The rule with what it has of its own.
export async function removeAlert(rule: Answer): Promise<void> {
  if (rule.targets.length) await call('events', 'RemoveTargets', { Rule: rule.Name, Ids: rule.targets.map((one: Answer) => one.Id) });
  await call('events', 'DeleteRule', { Name: rule.Name });
  if (!hasOwnWebhook(rule)) return;
  const RoleName = roleOf(rule.Name);
  for (const step of [
    () => call('events', 'DeleteApiDestination', { Name: rule.Name }),
    () => call('events', 'DeleteConnection', { Name: rule.Name }),
    () => call('iam', 'DeleteRolePolicy', { RoleName, PolicyName: POLICY }),
    () => call('iam', 'DeleteRole', { RoleName }),
  ]) {
    await step().catch((error) => {
      if (!error.isMissing) throw error;
    });
  }
}

// Whom a target tells, as people name it: a topic, an address, a webhook by its name.
export function toldBy(arn: string): string {
  const resource = arn.split(':').slice(5).join(':');
  const [kind, ...rest] = resource.split('/');
  if (kind === 'topic' || kind === 'mail') return rest.join('/');
  return kind === 'api-destination' ? t.alerts.webhook(rest[0]) : nameOf(arn);
}
