// SPDX-License-Identifier: Apache-2.0
// The frames of a device as they come, by the page's WebSocket: the newest one each time, and only
// while the page is seen. The last are kept, to step back through.
import { ApiError, type Answer } from './api';
import { ask, join, leave, type Listener } from './socket.svelte';

const MOST_FRAMES = 30;
// A look is an act in the audit, and a device's work: a page that is left open does not go on.
const IDLE_MS = 600_000;

export interface Frame {
  number: number;
  url: string;
  came: number; // milliseconds since 1970
  bytes: number;
  component: string;
  about: Answer; // what the component says of it
}

export class Watch {
  frames = $state.raw<Frame[]>([]);
  trouble = $state.raw<ApiError>();
  isPaused = $state(false);
  isIdle = $state(false);
  connected = $state(true);
  #number = 0;
  #isAsked = false;
  #touched = Date.now();
  #idle: ReturnType<typeof setInterval>;
  #seen = () => this.#look();
  #listener: Listener = {
    opened: () => {
      this.connected = true;
      this.#isAsked = false;
      this.#look();
    },
    closed: () => {
      this.connected = this.#isAsked = false;
    },
    took: (told) => this.#take(told),
  };

  constructor(
    readonly thing: string,
    readonly component: string,
  ) {
    document.addEventListener('visibilitychange', this.#seen);
    this.#idle = setInterval(() => {
      if (this.isPaused || Date.now() - this.#touched <= IDLE_MS) return;
      this.isPaused = this.isIdle = true;
      this.#look();
    }, 5000);
    join(this.#listener);
  }

  end() {
    clearInterval(this.#idle);
    document.removeEventListener('visibilitychange', this.#seen);
    if (this.#isAsked) ask({ unwatch: true });
    leave(this.#listener);
    for (const frame of this.frames) URL.revokeObjectURL(frame.url);
  }

  pause(isPaused: boolean) {
    this.isPaused = isPaused;
    this.isIdle = false;
    this.touch();
    this.#look();
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

  #look() {
    const wants = !this.isPaused && !document.hidden && !this.trouble?.isDenied;
    if (wants === this.#isAsked) return;
    this.#isAsked = wants;
    ask(wants ? { watch: { thing: this.thing, component: this.component } } : { unwatch: true });
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the server says
  #take(told: any) {
    const about = told.frame ?? told.frameTrouble;
    if (!about || about.thing !== this.thing || (about.asked ?? about.component) !== this.component) return;
    if (told.frameTrouble) {
      // As a gateway says that the one behind it has failed.
      this.trouble = new ApiError(about.code === 'AccessDeniedException' ? 403 : 502, about.code, about.message);
      return;
    }
    if (this.isPaused) return; // it was on its way
    this.trouble = undefined;
    const file = new Blob([bytesOf(told.jpeg)], { type: 'image/jpeg' });
    const frame = {
      number: ++this.#number, url: URL.createObjectURL(file), came: Date.now(),
      bytes: file.size, component: about.component ?? '', about: about.frame ?? {},
    };
    const all = [...this.frames, frame];
    for (const old of all.slice(0, -MOST_FRAMES)) URL.revokeObjectURL(old.url);
    this.frames = all.slice(-MOST_FRAMES);
  }
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
