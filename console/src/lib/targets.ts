// SPDX-License-Identifier: Apache-2.0
// Whom a rule tells, as people name it.
import { nameOf } from './format';
import { t } from '../text';

// A topic, an address, a webhook by its name; of others the end of the ARN.
export function toldBy(arn: string): string {
  const [kind, ...rest] = arn.split(':').slice(5).join(':').split('/');
  if (kind === 'topic' || kind === 'mail') return rest.join('/');
  return kind === 'api-destination' ? t.alerts.webhook(rest[0]) : nameOf(arn);
}
