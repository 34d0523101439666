// SPDX-License-Identifier: Apache-2.0
// Each word of src/text.ts is shown somewhere: a key that nothing names ("t.alerts.add") is refused. Of what
// is looked up by a name that comes with the data (t.states[state]) every key counts as named.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import typescript from 'typescript';

const TEXT = join('src', 'text.ts');
const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((file) => file.isFile() && /\.(svelte|ts)$/.test(file.name))
  .map((file) => join(file.parentPath, file.name))
  .filter((file) => file !== TEXT);
const sources = files.map((file) => readFileSync(file, 'utf8')).join('\n');
const named = new Set([...sources.matchAll(/\bt((?:\.\w+)+)/g)].flatMap(([, path]) => {
  const words = path.slice(1).split('.');
  return words.map((_, at) => words.slice(0, at + 1).join('.'));
}));
// Taken whole: "t.keys)", "t.states[": what follows is no name.
const whole = new Set([...sources.matchAll(/\bt((?:\.\w+)+)(?![.\w(])/g)].map(([, path]) => path.slice(1)));

const { outputText } = typescript.transpileModule(readFileSync(TEXT, 'utf8'), {
  compilerOptions: { module: 'esnext', target: 'esnext' },
});
const { t } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
function* unnamed(words, above = '') {
  for (const [key, value] of Object.entries(words)) {
    const path = above + key;
    if (!named.has(path)) yield path;
    else if (typeof value === 'object' && !whole.has(path)) yield* unnamed(value, `${path}.`);
  }
}
const problems = [...unnamed(t)];
for (const path of problems) console.error(`${TEXT}: nothing shows t.${path}: remove it`);
if (!named.has('more')) problems.push('no word was found: is this still how words are named?');
process.exit(problems.length ? 1 : 0);
