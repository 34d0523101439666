// SPDX-License-Identifier: Apache-2.0
// Compares andon's JSONata with the reference implementation, npm package jsonata 2.x, on
// expressions drawn from a grammar. usage:
//   NODE_PATH=<dir with node_modules>/node_modules node jsonata_differential.js \
//       <jsonata_answers> [count] [seed] [--write FILE]
// The reference answers in a worker of its own, because there are expressions on which it takes
// all memory or never ends; those are printed and left out. Prints every difference; --write
// saves the agreed answers.
'use strict';
const { spawnSync } = require('child_process');
const fs = require('fs');
const { Worker, isMainThread, parentPort } = require('worker_threads');
const jsonata = require('jsonata');

const [answers, countText = '20000', seedText = '1'] = process.argv.slice(2);
const writeAt = process.argv.indexOf('--write');
let state = Number(seedText) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(random() * list.length)];
const chance = (p) => random() < p;

const inputs = [
  {
    name: 'Anna', age: 41, ok: true, none: null, tags: ['x', 'y', 'z'], empty: [], blank: '',
    orders: [
      { id: 'o1', total: 34.5, items: [{ sku: 'a', n: 2, p: 3.5 }, { sku: 'b', n: 1, p: 10 }] },
      { id: 'o2', total: 7, items: [{ sku: 'a', n: 5, p: 3.5 }] },
      { id: 'o3', total: 12, items: [] },
    ],
    address: { city: 'Köln', geo: { lat: 50.9, lon: 6.9 } },
    matrix: [[1, 2], [3, 4], [5]], numbers: [5, 3, 9, 1, 3], text: 'The quick brown fox, 2024-01-31',
  },
  [{ a: 1, b: 'one' }, { a: 2, b: 'two' }, { a: 2, b: 'deux', c: [1, 2] }],
  { a: { b: { c: { d: [1, { e: 2 }] } } }, list: [1, 'two', null, true, { k: 'v' }, [3]] },
  'just text', 42, null, [],
];

const names = ['name', 'age', 'ok', 'none', 'tags', 'empty', 'orders', 'id', 'total', 'items', 'sku', 'n',
  'p', 'address', 'city', 'geo', 'lat', 'matrix', 'numbers', 'text', 'a', 'b', 'c', 'd', 'list', 'missing', 'blank'];
const numbers = ['0', '1', '2', '3', '10', '2.5', '0.1', '1e3', '-1', '100', '7'];
const strings = ['"a"', '"abc"', '""', "'x'", '"Hello World"', '"2024-01-31"', '"é€"', '"12"', '"a,b,c"', '" pad  me "'];
const regexes = ['/a/', '/[a-z]+/', '/(\\w)(\\w)/i', '/\\s/', '/^x/', '/o/', '/(\\d+)-(\\d+)/'];
const binary = ['+', '-', '*', '/', '%', '=', '!=', '<', '<=', '>', '>=', '&', 'and', 'or', 'in', '??', '?:'];

const unaryText = ['string', 'length', 'uppercase', 'lowercase', 'trim', 'number', 'base64encode', 'encodeUrlComponent',
  'encodeUrl', 'decodeUrl', 'boolean', 'not', 'exists', 'type', 'keys', 'count', 'sum', 'max', 'min', 'average',
  'floor', 'ceil', 'abs', 'sqrt', 'round', 'reverse', 'distinct', 'sort', 'spread', 'merge', 'clone', 'formatBase'];

function lambda(d) {
  const parameters = ['$v', '$i', '$l'].slice(0, 1 + Math.floor(random() * 3)).join(', ');
  return `function(${parameters}){ ${expression(d - 1, ['$v'].concat(parameters.includes('$i') ? ['$i'] : []))} }`;
}

function call(d, vars) {
  const e = () => expression(d - 1, vars);
  switch (Math.floor(random() * 26)) {
    case 0: return `$substring(${pick(strings)}, ${pick(numbers)}, ${pick(numbers)})`;
    case 1: return `$substring(${e()}, ${pick(numbers)})`;
    case 2: return `$pad(${pick(strings)}, ${pick(['5', '-5', '12', '0'])}, ${pick(['"#"', '"ab"', '""'])})`;
    case 3: return `$split(${pick(strings)}, ${pick(['","', '""', '" "', ...regexes])}${chance(0.3) ? ', 2' : ''})`;
    case 4: return `$join(${e()}, ${pick(['","', '""'])})`;
    case 5: return `$match(${pick(['text', '"abcabc"', '"foo-12-34"'])}, ${pick(regexes)}${chance(0.3) ? ', 1' : ''})`;
    case 6: return `$replace(${pick(['text', '"abcabc"'])}, ${pick(regexes.concat(['"b"']))}, ${pick(['"$1-$2"', '"X"', '"$0$0"', '"$$"'])})`;
    case 7: return `$contains(${pick(strings)}, ${pick(regexes.concat(['"a"']))})`;
    case 8: return `$map(${e()}, ${lambda(d)})`;
    case 9: return `$filter(${e()}, ${lambda(d)})`;
    case 10: return `$reduce(${pick(['numbers', 'matrix', '[1..5]'])}, function($x, $y){ ${pick(['$x + $y', '$x & $y', '$append($x, $y)'])} }${chance(0.3) ? ', 10' : ''})`;
    case 11: return `$each(${pick(['address', 'address.geo', '{"k": 1}'])}, ${lambda(d)})`;
    case 12: return `$sift(${pick(['address', '{"k": 1, "m": 0}', '$'])}, ${lambda(d)})`;
    case 13: return `$append(${e()}, ${e()})`;
    case 14: return `$zip(${e()}, ${e()})`;
    case 15: return `$sort(${e()}${chance(0.4) ? ', function($l, $r){ $l > $r }' : ''})`;
    case 16: return `$lookup(${e()}, "${pick(names)}")`;
    case 17: return `$formatNumber(${pick(['1234.5678', '0.14', '1e6', 'age', '12345'])}, ${pick(["'#,##0.00'", "'00.#'", "'0%'", "'0.00e0'", "'#;(#)'", "'#,###'", "'x'", "'##.##.##'", "'###0.0##'"])})`;
    case 18: return `$formatInteger(${pick(['1', '12', '1999', '0', '45', '123456', '-3', '21'])}, ${pick(["'w'", "'W'", "'Ww'", "'I'", "'i'", "'A'", "'a'", "'#,##0'", "'000'", "'1;o'", "'w;o'"])})`;
    case 19: return `$parseInteger(${pick(["'twelve thousand, three hundred and forty-five', 'w'", "'12,345', '#,##0'", "'MCMXCIX', 'I'", "'abc', 'a'", "'007', '000'", "'one million and two', 'w'"])})`;
    case 20: return `$fromMillis(${pick(['0', '1510067557121', '1577836800000', '951782400000', '1234567890123'])}${chance(0.7) ? ', ' + pick(["'[Y]-[M01]-[D01]'", "'[FNn], [D1o] [MNn] [Y]'", "'[H01]:[m01]:[s01].[f001] [Z]'", "'[h]:[m][P]'", "'[W]-[X]-[w]-[d]'", "'[MNn,3-3] [Y,2-2]'", "'[Z01:01t]'", "'[[x]] [YI]'", "'[F0] [Dwo]'"]) + (chance(0.4) ? ', ' + pick(["'+0100'", "'-0530'", "'0000'"]) : '') : ''})`;
    case 21: return `$toMillis(${pick(["'2017-11-07T15:12:37.121Z'", "'2018'", "'2020-02-29'", "'nope'", "'2017-11-07T15:12:37.121+0530'"])})`;
    case 22: return `$toMillis(${pick(["'12/31/2019'", "'3rd May 2001'", "'2019-365'", "'4:05pm 2010-06-07'"])}, ${pick(["'[M01]/[D01]/[Y0001]'", "'[D1o] [MNn] [Y0001]'", "'[Y0001]-[d001]'", "'[h]:[m01][P] [Y0001]-[M01]-[D01]'"])})`;
    case 23: return `$round(${pick(['2.5', '3.5', '-2.5', '1.005', '12345.678', 'age'])}, ${pick(['0', '1', '2', '-2'])})`;
    case 24: return `$power(${pick(numbers)}, ${pick(numbers)})`;
    default: return `$${pick(unaryText)}(${chance(0.1) ? '' : e()})`;
  }
}

function path(d, vars) {
  const count = 1 + Math.floor(random() * 3);
  const steps = [];
  for (let i = 0; i < count; i++) {
    let step = chance(0.1) ? pick(['*', '**', '$']) : pick(names);
    if (i > 0 && chance(0.08)) step = `(${expression(d - 1, vars)})`;
    if (i > 0 && chance(0.05)) step = `{"k": ${expression(d - 1, vars)}}`;
    if (i > 0 && chance(0.05)) step = `[${expression(d - 1, vars)}]`;
    if (i > 0 && chance(0.04)) step = '%';
    if (chance(0.04)) step += `@$f${i}`;
    if (chance(0.05)) step += `#$x${i}`;
    if (chance(0.25)) step += `[${pick(['0', '-1', '1', 'a = 2', 'n > 1', '$ > 2', 'sku = "a"', 'total < 20', '[0,1]', expression(d - 2, vars)])}]`;
    if (chance(0.06)) step += '[]';
    steps.push(step);
  }
  let text = steps.join('.');
  if (chance(0.07)) text += `^(${pick(['>', '<', ''])}${pick(names.concat(['$']))})`;
  if (chance(0.05)) text += `{${pick(['sku', 'id', 'b', '"k"', '$string($)'])}: ${expression(d - 1, vars)}}`;
  return text;
}

function expression(d, vars) {
  if (d <= 0) {
    if (vars.length && chance(0.4)) return pick(vars);
    return pick([pick(numbers), pick(strings), pick(names), pick(names), 'true', 'null', '$']);
  }
  const e = () => expression(d - 1, vars);
  switch (Math.floor(random() * 16)) {
    case 0: case 1: case 2: return path(d, vars);
    case 3: case 4: return `${e()} ${pick(binary)} ${e()}`;
    case 5: return `(${e()} ${pick(binary)} ${e()})`;
    case 6: return `[${e()}, ${e()}]`;
    case 7: return `[${pick(['1', '-2', '3'])}..${pick(['4', '2', 'age', '$count(tags)'])}]`;
    case 8: return `{"a": ${e()}, "b": ${e()}}`;
    case 9: return `(${e()} ? ${e()} : ${e()})`;
    case 10: { const v = pick(['$p', '$q']); return `(${v} := ${e()}; ${expression(d - 1, vars.concat([v]))})`; }
    case 11: return `${path(d, vars)} ~> $${pick(unaryText)}()`;
    case 12: return pick([`-${e()}`, `${e()} ~> $${pick(unaryText)}`, `$ ~> |${pick(names)}|{"z": ${e()}}${chance(0.5) ? ', "a"' : ''}|`,
      `($f := function($v){ ${expression(d - 1, ['$v'])} }; $f(${e()}))`, `$map(${e()}, $${pick(unaryText)})`,
      `($s := $substring(?, 0, ${pick(numbers)}); $s(${pick(strings)}))`, `(${e()})[${pick(numbers)}]`]);
    default: return call(d, vars);
  }
}

// Step Functions' own: not in the reference, or different there on purpose.
function reserved(text) {
  return /\$(random|shuffle|now|millis|eval|uuid|parse|partition|range|hash)\b/.test(text);
}

function plain(value) {
  return JSON.stringify(value, (key, v) => {
    if (typeof v === 'number' && !isFinite(v)) return String(v);
    if (typeof v === 'function' || (v && (v._jsonata_lambda || v._jsonata_function))) return undefined;
    if (v && typeof v === 'object' && !Array.isArray(v)) return Object.fromEntries(Object.keys(v).sort().map((k) => [k, v[k]]));
    return v;
  });
}

async function reference(expr, input) {
  try {
    const value = await jsonata(expr).evaluate(structuredClone(input));
    if (value && (value._jsonata_lambda || value._jsonata_function)) return {};
    const text = plain(value);
    return text === undefined ? {} : { value: text };
  } catch (error) {
    return { error: error.code || '?' };
  }
}

const patienceMs = 10000;

// Answers questions one after the other, with a fresh worker after one that did not end.
class Reference {
  answer({ expr, input }) {
    if (!this.worker) this.worker = new Worker(__filename, { resourceLimits: { maxOldGenerationSizeMb: 400 } });
    const { worker } = this;
    return new Promise((resolve) => {
      const give = (answer, broken) => {
        clearTimeout(timer);
        worker.off('message', onAnswer);
        worker.off('error', onError);
        if (broken) {
          worker.on('error', () => {});
          worker.terminate();
          this.worker = null;
        }
        resolve(answer);
      };
      const timer = setTimeout(() => give({ endless: true }, true), patienceMs);
      const onAnswer = (answer) => give(answer, false);
      const onError = () => give({ endless: true }, true);
      worker.on('message', onAnswer);
      worker.on('error', onError);
      worker.postMessage({ expr, input });
    });
  }
  end() { return this.worker && this.worker.terminate(); }
}

async function main() {
  const questions = [];
  while (questions.length < Number(countText)) {
    const text = expression(1 + Math.floor(random() * 3), []);
    if (!reserved(text)) questions.push({ expr: text, input: pick(inputs) });
  }
  const run = spawnSync(answers, { input: questions.map((q) => JSON.stringify(q)).join('\n') + '\n', maxBuffer: 1 << 30 });
  if (run.status !== 0) throw new Error(`jsonata_answers ended with ${run.status} ${run.signal}: ${run.stderr}`);
  const lines = run.stdout.toString().split('\n');
  let agreed = 0, codes = 0, endless = 0, broken = 0;
  const their = new Reference();
  const differences = [], table = [];
  for (let i = 0; i < questions.length; i++) {
    const theirs = await their.answer(questions[i]);
    const mine = JSON.parse(lines[i]);
    const ours = 'error' in mine ? { error: mine.error } : 'value' in mine ? { value: plain(mine.value) } : {};
    if (theirs.endless) {
      endless++;
      console.log(`the reference does not end: ${questions[i].expr} (here: ${lines[i].slice(0, 80)})`);
      continue;
    }
    if (theirs.error === '?') { broken++; continue; } // a TypeError inside the reference, not an answer
    if (theirs.value === ours.value && ('error' in theirs) === ('error' in ours)) {
      agreed++;
      if (theirs.error !== ours.error) {
        codes++;
        if (process.env.CODES) console.log(JSON.stringify({ ...questions[i], theirs, ours: mine }));
      } else {
        table.push({ ...questions[i], ...('error' in theirs ? theirs : theirs.value === undefined ? {} : { value: JSON.parse(theirs.value) }) });
      }
    } else {
      differences.push({ expr: questions[i].expr, input: inputs.indexOf(questions[i].input), theirs, ours });
    }
  }
  for (const difference of differences.slice(0, 60)) console.log(JSON.stringify(difference));
  await their.end();
  console.log(`${agreed} of ${questions.length} agree (${codes} of them fail with another code), ${differences.length} differ, ` +
    `${broken} break the reference, ${endless} never end in it`);
  if (writeAt > 0) fs.writeFileSync(process.argv[writeAt + 1], table.map((row) => JSON.stringify(row)).join('\n') + '\n');
}

if (isMainThread) {
  main();
} else {
  parentPort.on('message', async ({ expr, input }) => parentPort.postMessage(await reference(expr, input)));
}
