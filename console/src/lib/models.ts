// SPDX-License-Identifier: Apache-2.0
// What is known of a version of a model: its report's figures, and where it runs.
import { all, call, s3Json, type Answer } from './api';

export interface Report {
  main: [string, number][]; // what one asks for first
  rest: [string, number][];
  classes: Answer[];
  curve: Answer[];
  worst: { fileName: string; missed: number; wrong: number }[]; // pictures, worst first
  confusion?: { names: (string | null)[]; foundByThere: number[][] };
}

export function reportUri(version: Answer): string | undefined {
  return version?.ModelMetrics?.ModelQuality?.Statistics?.S3Uri;
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
    worst: Array.isArray(report.worstImages) ? report.worstImages : [],
    confusion: report.confusion,
  };
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

// Devices on which component NAME.Model of this version is installed.
export async function whereItRuns(model: string, version: number, one?: Answer): Promise<Answer[]> {
  // A pipeline that names it otherwise has noted how.
  const noted = String(one?.CustomerMetadataProperties?.['qa.component'] ?? '').split(' ');
  const { items } = await all('greengrass', 'ListCoreDevices', 'coreDevices', { maxResults: 100 }, 300);
  const found: Answer[] = [];
  const waiting = [...items];
  const work = async () => {
    for (let device = waiting.pop(); device; device = waiting.pop()) {
      const installed = await all('greengrass', 'ListInstalledComponents', 'installedComponents', {
        coreDeviceThingName: device.coreDeviceThingName,
      });
      const component = installed.items.find(
        ({ componentName, componentVersion }) =>
          (componentName === `${model}.Model` && componentVersion.split('.')[0] === String(version)) ||
          (componentName === noted[0] && componentVersion === noted[1]),
      );
      if (component) found.push({ ...device, component });
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return found.sort((a, b) => a.coreDeviceThingName.localeCompare(b.coreDeviceThingName));
}

export interface Latency {
  type: string; // "linux aarch64"
  devices: number;
  pictures: number;
  median: number; // of inference, in ms
  p95: number;
}
const MOST_TIMED = 20; // devices
const OF_EACH = '100'; // its last results

// How long a picture takes on each type of device, of the last results there.
export async function latencies(devices: Answer[]): Promise<Latency[]> {
  const byType = new Map<string, { devices: number; times: number[] }>();
  await Promise.all(
    devices.slice(0, MOST_TIMED).map(async (device) => {
      const { results } = await call('andon', 'ListResults', {
        thing: device.coreDeviceThingName, maxResults: OF_EACH, includeMessages: 'true',
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
    }),
  );
  return [...byType].map(([type, of]) => {
    const sorted = of.times.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return { type, devices: of.devices, pictures: sorted.length, median: at(0.5), p95: at(0.95) };
  }).sort((a, b) => a.median - b.median);
}
