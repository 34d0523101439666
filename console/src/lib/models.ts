// SPDX-License-Identifier: Apache-2.0
// What is known of a version of a model: its report's figures, and where it runs.
import { all, call, each, s3Json, type Answer } from './api';
import { arnOf } from './may.svelte';
import { t } from '../text';

export interface Report {
  main: [string, number][]; // what one asks for first
  rest: [string, number][];
  classes: Answer[];
  curve: Answer[];
  worst: { fileName: string; missed: number; wrong: number; source?: string }[]; // pictures, worst first; where it is kept
  confusion?: { names: (string | null)[]; foundByThere: number[][] };
}

export function reportUri(version: Answer): string | undefined {
  return version?.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
}

// A picture that a report names is beside it.
function besides(uri: string, picture: unknown): string | undefined {
  if (typeof picture !== 'string' || picture.split('/').some((name) => !name || name.startsWith('.'))) return undefined;
  return uri.replace(/[^/]*$/, '') + picture;
}

// The figures of a report, whatever else is in it.
export async function reportOf(version: Answer): Promise<Report | undefined> {
  const uri = reportUri(version);
  if (!uri) return undefined;
  const report: Answer = await s3Json(uri);
  const [ap, at] = [report.averagePrecision ?? {}, report.atConfidence ?? {}];
  const numbers = (of: Answer, prefix = '') =>
    Object.entries(of ?? {}).filter((one): one is [string, number] => typeof one[1] === 'number')
      .map(([name, value]): [string, number] => [prefix + name, value]);
  const main: [string, unknown][] = [
    ['mAP50-95', ap.mAP50_95], ['mAP50', ap.mAP50], ['Precision', at.precision], ['Recall', at.recall],
    ['F1', at.f1], ['Confidence', at.confidence],
  ];
  return {
    main: main.filter((one): one is [string, number] => typeof one[1] === 'number'),
    rest: [...numbers(report), ...numbers(ap), ...numbers(at), ...numbers(report.bestF1, 'best ')].slice(0, 60),
    classes: Array.isArray(report.classes) ? report.classes : [],
    curve: Array.isArray(report.curve) ? report.curve : [],
    worst: (Array.isArray(report.worstImages) ? report.worstImages : [])
      .filter((one: Answer) => typeof one?.fileName === 'string')
      .map((one: Answer) => ({ ...one, source: besides(uri, one.picture) })),
    confusion: report.confusion,
  };
}

export type Figures = Map<string, number | string>;

// What two versions are told apart by: the report's figures, and numbers among the properties.
export async function figuresOf(version: Answer | undefined, report?: Report): Promise<Figures> {
  const found: Figures = new Map();
  if (!version) return found;
  const known = report ?? (await reportOf(version).catch(() => undefined));
  for (const [key, value] of known?.main ?? []) found.set(key, value);
  for (const [key, value] of propertiesOf(version)) {
    if (value === '' || Number.isNaN(Number(value)) || key.startsWith('qa.promised-')) continue;
    found.set(key.startsWith('qa.') ? t.models.inQa(t.models.columns[key.slice(3)] ?? key.slice(3)) : key, Number(value));
  }
  return found;
}

// Whether `its` is better than `old`, of figures that are known to be better when they are higher.
export function isBetter(metric: string, its: unknown, old: unknown): boolean | undefined {
  if (typeof its !== 'number' || typeof old !== 'number' || Math.abs(its - old) < 1e-9) return undefined;
  return /map|precision|recall|f1|accuracy/i.test(metric) ? its > old : undefined;
}

// The server's own checks of the files.
export function checksOf(version: Answer): Answer[] {
  return version?.ModelPackageStatusDetails?.ValidationStatuses ?? [];
}

// What the QA stage of a pipeline has noted: "qa.verdict", "qa.reason", figures and what was promised.
export function qaOf(version: Answer): { verdict: string; reason: string; time?: string; figures: [string, string, string][] } | undefined {
  const kept = (version?.CustomerMetadataProperties ?? {}) as Record<string, string>;
  if (!kept['qa.verdict']) return undefined;
  const figures = Object.entries(kept)
    .filter(([name]) => name.startsWith('qa.') && !/^qa\.(verdict|reason|time|component|execution|promised-.*)$/.test(name))
    .map(([name, value]): [string, string, string] => [name.slice(3), value, kept[`qa.promised-${name.slice(3)}`] ?? '']);
  return { verdict: kept['qa.verdict'], reason: kept['qa.reason'] ?? '', time: kept['qa.time'], figures };
}

// What is noted of where it comes from and where it went, but for what qaOf() has.
export function lineageOf(version: Answer): [string, string][] {
  const qa = qaOf(version);
  return [
    ...Object.entries((version?.MetadataProperties ?? {}) as Record<string, string>),
    ...(version?.SourceUri ? [['SourceUri', version.SourceUri] as [string, string]] : []),
    ...propertiesOf(version).filter(([key]) => !qa || !key.startsWith('qa.') || key === 'qa.component' || key === 'qa.execution'),
  ];
}

// Where the pictures of its report are, if its lineage names a folder of the store.
export function picturesOf(version: Answer): string | undefined {
  const found = propertiesOf(version).find(([name, value]) => /picture|image|dataset/i.test(name) && /^s3:\/\/[^/]+\//.test(value));
  return found?.[1].replace(/\/?$/, '/');
}

// Metrics that were given as properties ("MAP": "0.83").
export function propertiesOf(version: Answer): [string, string][] {
  return Object.entries((version?.CustomerMetadataProperties ?? {}) as Record<string, string>).filter(
    ([name]) => !name.startsWith('TaskToken'),
  );
}

// The task token that an execution has left here, in pieces.
export function taskTokenOf(version: Answer): string | undefined {
  const kept = (version?.CustomerMetadataProperties ?? {}) as Record<string, string>;
  const pieces = Object.keys(kept).filter((name) => /^TaskToken\d+$/.test(name));
  return pieces.length ? pieces.sort().map((name) => kept[name]).join('') : undefined;
}

export const versionArn = (model: string, version: number) => arnOf('sagemaker', `model-package/${model}/${version}`);

// The version that was approved last before this one.
export async function approvedBefore(model: string, version: number): Promise<number | undefined> {
  let NextToken: string | undefined;
  do {
    const page: Answer = await call('sagemaker', 'ListModelPackages', {
      ModelPackageGroupName: model, ModelApprovalStatus: 'Approved', SortBy: 'CreationTime', SortOrder: 'Descending', MaxResults: 100, ...(NextToken ? { NextToken } : {}),
    });
    const found = page.ModelPackageSummaryList.find((one: Answer) => one.ModelPackageVersion < version);
    if (found) return found.ModelPackageVersion;
    NextToken = page.NextToken;
  } while (NextToken);
  return undefined;
}

const MOST_DEVICES = 10_000;

// Devices on which component NAME.Model of this version is installed.
export async function whereItRuns(model: string, version: number, one?: Answer): Promise<Answer[]> {
  // A pipeline that names it otherwise has noted how.
  const noted = String(one?.CustomerMetadataProperties?.['qa.component'] ?? '').split(' ');
  const wanted: [string, (componentVersion: string) => boolean][] = [
    [`${model}.Model`, (of) => of.split('.')[0] === String(version)],
    ...(noted.length > 1 ? [[noted[0], (of: string) => of === noted[1]] as [string, (of: string) => boolean]] : []),
  ];
  const found = new Map<string, Answer>();
  for (const [componentName, fits] of wanted) {
    const { items } = await all('andon', 'ListDeviceStates', 'devices', { componentName, maxResults: '1000' }, MOST_DEVICES);
    for (const device of items) {
      if (fits(device.component.componentVersion)) found.set(device.thing, { ...device, component: { componentName, ...device.component } });
    }
  }
  return [...found.values()].sort((a, b) => a.thing.localeCompare(b.thing));
}

export interface Latency {
  type: string; // "linux aarch64"
  devices: number;
  pictures: number;
  median: number; // of inference, in ms
  p95: number;
}
const OF_EACH = '100'; // its last results

// How long a picture takes on each type of device, of the last results on the first `most` devices.
export async function latencies(devices: Answer[], most: number): Promise<Latency[]> {
  const byType = new Map<string, { devices: number; times: number[] }>();
  await each(devices.slice(0, most), async (device) => {
    const { results } = await call('andon', 'ListResults', {
      thing: device.thing, maxResults: OF_EACH, includeMessages: 'true',
    });
    const times = (results as Answer[])
      .filter(
        ({ message }) =>
          message?.model?.component === device.component.componentName &&
          message.model.version === device.component.componentVersion,
      )
      .map(({ message }) => message.ms?.inference)
      .filter((ms): ms is number => typeof ms === 'number');
    if (!times.length) return;
    const type = [device.platform, device.architecture].filter(Boolean).join(' ');
    const known = byType.get(type) ?? { devices: 0, times: [] };
    byType.set(type, { devices: known.devices + 1, times: [...known.times, ...times] });
  });
  return [...byType].map(([type, of]) => {
    const sorted = of.times.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return { type, devices: of.devices, pictures: sorted.length, median: at(0.5), p95: at(0.95) };
  }).sort((a, b) => a.median - b.median);
}
