// SPDX-License-Identifier: Apache-2.0
// The frames of a device as they come: one `frame` command after the other, never two at once, about
// one a second, and only while the page is seen. The last are kept, to step back through.
import type { Answer, ApiError } from './api';
import { DeviceCommand, Pieces } from './commands';
import { asError } from './live.svelte';

const EVERY_MS = 1000;
const AFTER_TROUBLE_MS = 5000;
const MOST_FRAMES = 30;
// Each frame is an act in the audit: a page that is left open does not go on for days.
const IDLE_MS = 600_000;

export interface Frame {
  number: number;
  url: string;
  came: number; // milliseconds since 1970
  tookMs: number;
  bytes: number;
  component: string;
  about: Answer; // what the component says of it
}

export class Watch {
  frames = $state.raw<Frame[]>([]);
  trouble = $state.raw<ApiError>();
  isPaused = $state(false);
  isIdle = $state(false);
  #isOver = false;
  #number = 0;
  #touched = Date.now();
  #command: DeviceCommand | undefined;
  #wake = () => {};
  #seen = () => {
    if (document.hidden) this.#command?.stop();
    this.#wake();
  };

  constructor(
    readonly thing: string,
    readonly component: string,
  ) {
    document.addEventListener('visibilitychange', this.#seen);
    void this.#run();
  }

  end() {
    this.#isOver = true;
    document.removeEventListener('visibilitychange', this.#seen);
    this.#command?.stop();
    this.#wake();
    for (const frame of this.frames) URL.revokeObjectURL(frame.url);
  }

  pause(isPaused: boolean) {
    this.isPaused = isPaused;
    this.isIdle = false;
    this.touch();
    this.#wake();
  }

  touch() {
    this.#touched = Date.now();
  }

  // Over the frames that are kept.
  get perSecond(): number {
    const first = this.frames[0];
    const last = this.frames.at(-1);
    if (!first || !last || first === last) return 0;
    return ((this.frames.length - 1) * 1000) / (last.came - first.came);
  }

  async #run() {
    while (!this.#isOver) {
      if (!this.isPaused && Date.now() - this.#touched > IDLE_MS) this.isPaused = this.isIdle = true;
      if (this.isPaused || document.hidden) {
        await this.#sleep();
        continue;
      }
      const begun = Date.now();
      let wait = EVERY_MS;
      try {
        await this.#take(begun);
        this.trouble = undefined;
      } catch (error) {
        this.trouble = asError(error);
        if (this.trouble.isDenied) return;
        wait = AFTER_TROUBLE_MS;
      }
      await this.#sleep(begun + wait - Date.now());
    }
  }

  async #take(begun: number) {
    const pieces = new Pieces();
    this.#command = new DeviceCommand(
      this.thing,
      this.component ? { kind: 'frame', component: this.component } : { kind: 'frame' },
    );
    try {
      const result = await this.#command.run((answer) => pieces.take(answer));
      if (!result || this.#isOver) return;
      const file = pieces.file(result, 'image/jpeg');
      const came = Date.now();
      const frame = {
        number: ++this.#number, url: URL.createObjectURL(file), came, tookMs: came - begun,
        bytes: file.size, component: result.component ?? '', about: result.frame ?? {},
      };
      const all = [...this.frames, frame];
      for (const old of all.slice(0, -MOST_FRAMES)) URL.revokeObjectURL(old.url);
      this.frames = all.slice(-MOST_FRAMES);
    } finally {
      this.#command = undefined;
    }
  }

  // Until then, or until something has changed; without a time until something has.
  #sleep(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => resolve(), Math.max(0, ms));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
