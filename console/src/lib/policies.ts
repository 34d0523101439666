// What lets users, groups and roles do something: policies that are attached to one, and its own.
import { all, call, each, type Answer } from './api';

export type Holder = 'User' | 'Group' | 'Role';
export type Held = { attached: Answer[]; inline: Answer[] };
const MOST_CHOICES = 2000;

export async function heldBy(kind: Holder, name: string): Promise<Held> {
  const of = { [`${kind}Name`]: name };
  const [attached, inline] = await Promise.all([
    all('iam', `ListAttached${kind}Policies`, 'AttachedPolicies', of),
    all('iam', `List${kind}Policies`, 'PolicyNames', of),
  ]);
  const documents = await each(inline.items as unknown as string[], (PolicyName) => call('iam', `Get${kind}Policy`, { ...of, PolicyName }));
  return { attached: attached.items, inline: documents };
}

export const choosable = () => all('iam', 'ListPolicies', 'Policies', { MaxItems: 1000 }, MOST_CHOICES);
