// SPDX-License-Identifier: Apache-2.0
// State machines laid out as boxes: rows by distance from the start, branches and iterations inside
// their state. The same rules as src/report/state_graph, so that both drawings look alike.
import type { Answer } from './api';

export interface Box {
  name: string;
  type: string;
  x: number;
  y: number;
  width: number;
  height: number;
  end: boolean;
  inside: { title: string; layout: Layout }[];
}
export interface Arrow {
  from: Box;
  to: Box;
  label: string;
  catches: boolean;
}
export interface Layout {
  boxes: Box[];
  arrows: Arrow[];
  width: number;
  height: number;
}

const HEIGHT = 44;
const GAP = 38;
const PAD = 14;
const LETTER = 8;
const MOST_DEEP = 20;

interface Step {
  from: string;
  to: string;
  label: string;
  catches: boolean;
}

function stepsOf(states: Record<string, Answer>): Step[] {
  const steps: Step[] = [];
  const add = (from: string, to: unknown, label = '', catches = false) => {
    if (typeof to !== 'string' || !states[to]) return;
    if (!steps.some((one) => one.from === from && one.to === to && one.label === label)) {
      steps.push({ from, to, label, catches });
    }
  };
  for (const [name, state] of Object.entries(states)) {
    for (const choice of state.Choices ?? []) add(name, choice.Next);
    add(name, state.Default, 'Default');
    add(name, state.Next);
    for (const one of state.Catch ?? []) add(name, one.Next, 'Catch', true);
  }
  return steps;
}

export function layOut(machine: Answer, deep = 0): Layout {
  const states: Record<string, Answer> = machine?.States ?? {};
  const steps = stepsOf(states);
  const rows: string[][] = [];
  const row = new Map<string, number>();
  const waiting = states[machine?.StartAt] ? [machine.StartAt as string] : [];
  if (waiting.length) row.set(waiting[0], 0);
  while (waiting.length) {
    const name = waiting.shift()!;
    const level = row.get(name)!;
    (rows[level] ??= []).push(name);
    for (const step of steps) {
      if (step.from !== name || row.has(step.to)) continue;
      row.set(step.to, level + 1);
      waiting.push(step.to);
    }
  }
  const boxes = new Map<string, Box>();
  const widths: number[] = [];
  const layout: Layout = { boxes: [], arrows: [], width: 0, height: 0 };
  for (const names of rows) {
    let x = 0;
    let height = 0;
    for (const name of names) {
      const state = states[name];
      const flows: Answer[] = deep < MOST_DEEP ? (state.Branches ?? [state.ItemProcessor ?? state.Iterator].filter(Boolean)) : [];
      const inside = flows.map((flow, number) => ({ title: state.Branches ? String(number + 1) : '*', layout: layOut(flow, deep + 1) }));
      const inner = inside.reduce((sum, one) => sum + one.layout.width + PAD, PAD);
      const box: Box = {
        name,
        type: state.Type,
        x,
        y: layout.height,
        width: Math.max(110, name.length * LETTER + 2 * PAD, inside.length ? inner : 0),
        height: HEIGHT + (inside.length ? Math.max(...inside.map((one) => one.layout.height)) + PAD : 0),
        end: Boolean(state.End) || state.Type === 'Succeed' || state.Type === 'Fail',
        inside,
      };
      boxes.set(name, box);
      layout.boxes.push(box);
      x += box.width + GAP;
      height = Math.max(height, box.height);
    }
    widths.push(x - GAP);
    layout.width = Math.max(layout.width, x - GAP);
    layout.height += height + GAP;
  }
  layout.height = Math.max(0, layout.height - GAP);
  rows.forEach((names, number) => {
    for (const name of names) boxes.get(name)!.x += (layout.width - widths[number]) / 2;
  });
  for (const step of steps) {
    const from = boxes.get(step.from);
    const to = boxes.get(step.to);
    if (from && to) layout.arrows.push({ from, to, label: step.label, catches: step.catches });
  }
  return layout;
}

export function pathOf({ from, to }: Arrow): string {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
  const [x2, y2] = [to.x + to.width / 2, to.y];
  if (y2 > y1) return `M${x1} ${y1} C${x1} ${y1 + GAP / 2} ${x2} ${y2 - GAP / 2} ${x2} ${y2}`;
  // Back up: around the right side of both.
  const bend = Math.max(from.x + from.width, to.x + to.width) + GAP / 2;
  const [yf, yt] = [from.y + from.height / 2, to.y + to.height / 2];
  return `M${from.x + from.width} ${yf} C${bend} ${yf} ${bend} ${yt} ${to.x + to.width} ${yt}`;
}
