// SPDX-License-Identifier: Apache-2.0
// Each call that changes or exports something stands in a file that says which right it needs: "iot:CreateThing"
// beside call('iot', 'CreateThing', …), for Act, which offers no button to whoever has not got it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const READS = /^(Get|List|Describe|Search|Count|Read|Filter|Resolve|BatchGet)/;
// What a service's operations are called in policies, where that is another name.
const ACTIONS = { iotdata: 'iot' };
// Called through functions that have no button of their own: who asks for them names the right.
const BESIDE = {
  'src/lib/commands.ts': { StartCommand: 'andon:StartCommand', CancelCommand: undefined },
  'src/lib/alerts.ts': {
    PutRule: 'events:PutRule', PutTargets: 'events:PutTargets', DeleteRule: 'events:DeleteRule', RemoveTargets: 'events:RemoveTargets',
    // Of what a rule's webhook needed: taken away where whoever deletes the rule may, else left.
    DeleteApiDestination: undefined, DeleteConnection: undefined, DeleteRole: undefined, DeleteRolePolicy: undefined,
  },
  // The account's setting lets each user, too: the server decides.
  'src/parts/OwnPassword.svelte': { ChangePassword: undefined },
  'src/lib/deployments.ts': { CreateDeployment: 'greengrass:CreateDeployment' },
};

const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((file) => file.isFile() && /\.(svelte|ts)$/.test(file.name))
  .map((file) => join(file.parentPath, file.name));
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const problems = [];
let writes = 0;
for (const [file, text] of texts) {
  for (const [, service, operation] of text.matchAll(/\bcall\(\s*'(\w+)',\s*'(\w+)'/g)) {
    if (READS.test(operation)) continue;
    writes += 1;
    const action = `${ACTIONS[service] ?? service}:${operation}`;
    const beside = BESIDE[file]?.[operation];
    if (BESIDE[file] && operation in BESIDE[file]) {
      const user = beside && [...texts].some(([other, of]) => other !== file && of.includes(`'${beside}'`) | of.includes(`"${beside}"`));
      if (beside && !user) problems.push(`${file}: ${beside} is needed by nobody who calls it`);
    } else if (!text.includes(`'${action}'`) && !text.includes(`"${action}"`)) {
      problems.push(`${file}: call('${service}', '${operation}') without needs="${action}"`);
    }
  }
  // Of nothing nothing is asked.
  for (const [whole] of text.matchAll(/<Act\b[^>]*?\bneeds="[^>]*?>/gs)) {
    if (!/\bon=/.test(whole)) problems.push(`${file}: ${whole.slice(0, 100)} … needs a right on nothing: say of what (on)`);
  }
  for (const [whole] of text.matchAll(/<Act\b[^>]*?\bact=\{[^>]*?>/gs)) {
    if (/\bcall\(|remove\(|Delete/.test(whole) && !/\bneeds/.test(whole)) problems.push(`${file}: ${whole.slice(0, 100)} … without needs`);
  }
}
if (!writes) problems.push('no call was found: is this still how operations are called?');
for (const problem of problems) console.error(problem);
process.exit(problems.length ? 1 : 0);
