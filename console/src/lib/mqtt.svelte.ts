// SPDX-License-Identifier: Apache-2.0
// The broker's messages, by the page's WebSocket (socket.svelte.ts): what it has subscribed to, what
// has come, and which topics there are. All of it is bounded; the newest stays.
import { ask, join, leave, type Listener } from './socket.svelte';

export interface Message {
  number: number;
  topic: string;
  payload?: string;
  base64?: string; // of what is no text
  bytes: number;
  qos: number;
  retained: boolean;
  time: string;
}
export interface Subscription {
  filter: string;
  state: 'asked' | 'on' | 'refused';
  why: string;
}
export interface Topic {
  name: string; // of its level
  path: string;
  count: number; // of messages, with those below
  last?: Message;
  below: Topic[];
}

const MOST_MESSAGES = 500;
const MOST_TOPICS = 1000;

export class Mqtt {
  connected = $state(false);
  subscriptions = $state<Subscription[]>([]);
  messages = $state.raw<Message[]>([]); // newest first
  topics = $state.raw<Topic[]>([]);
  dropped = $state(0); // before they came here
  paused = $state(false);
  #last = new Map<string, { count: number; message: Message }>();
  #missed: Message[] = []; // while it is paused
  #number = 0;
  #listener: Listener = {
    opened: () => {
      this.connected = true;
      for (const one of this.subscriptions) if (one.state !== 'refused') ask({ subscribe: one.filter });
    },
    closed: () => {
      this.connected = false;
      for (const one of this.subscriptions) if (one.state === 'on') one.state = 'asked';
    },
    took: (told) => this.#take(told),
  };

  constructor() {
    join(this.#listener);
  }

  end() {
    for (const one of this.subscriptions) ask({ unsubscribe: one.filter });
    leave(this.#listener);
  }

  subscribe(filter: string) {
    this.subscriptions = this.subscriptions.filter((one) => one.filter !== filter);
    this.subscriptions.push({ filter, state: 'asked', why: '' });
    ask({ subscribe: filter });
  }

  unsubscribe(filter: string) {
    this.subscriptions = this.subscriptions.filter((one) => one.filter !== filter);
    ask({ unsubscribe: filter });
  }

  pause(isPaused: boolean) {
    this.paused = isPaused;
    if (!isPaused) this.#show(this.#missed.splice(0));
  }

  clear() {
    this.messages = [];
    this.topics = [];
    this.dropped = 0;
    this.#last.clear();
    this.#missed = [];
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as the server says
  #take(told: any) {
    if (told.messages) {
      this.dropped += told.dropped;
      for (const one of told.messages as Message[]) one.number = ++this.#number;
      this.#count(told.messages);
      if (this.paused) this.#missed = [...this.#missed, ...told.messages].slice(-MOST_MESSAGES);
      else this.#show(told.messages);
      return;
    }
    const one = this.subscriptions.find((each) => each.filter === (told.subscribed ?? told.refused));
    if (!one) return;
    one.state = told.subscribed ? 'on' : 'refused';
    one.why = told.message ?? '';
  }

  #show(messages: Message[]) {
    this.messages = [...messages.toReversed(), ...this.messages].slice(0, MOST_MESSAGES);
  }

  // A message without a payload that was retained ends what is retained, and is a message as well.
  #count(messages: Message[]) {
    for (const message of messages) {
      const count = (this.#last.get(message.topic)?.count ?? 0) + 1;
      this.#last.delete(message.topic); // to the end: the longest silent goes first
      this.#last.set(message.topic, { count, message });
    }
    for (const topic of this.#last.keys()) {
      if (this.#last.size <= MOST_TOPICS) break;
      this.#last.delete(topic);
    }
    this.topics = tree(this.#last);
  }
}

function tree(last: Map<string, { count: number; message: Message }>): Topic[] {
  const top: Topic = { name: '', path: '', count: 0, below: [] };
  const known = new Map<string, Topic>();
  for (const [topic, { count, message }] of last) {
    let at = top;
    let path = '';
    for (const name of topic.split('/')) {
      path = at === top ? name : `${path}/${name}`;
      let next = known.get(path);
      if (!next) {
        next = { name, path, count: 0, below: [] };
        known.set(path, next);
        at.below.push(next);
      }
      next.count += count;
      at = next;
    }
    at.last = message;
  }
  const sort = (topics: Topic[]) => {
    topics.sort((a, b) => a.name.localeCompare(b.name));
    for (const one of topics) sort(one.below);
  };
  sort(top.below);
  return top.below;
}

// JSON with its lines, where that changes nothing: numbers that a script cannot hold stay as sent.
export function shown(message: Message): string {
  if (message.payload === undefined) return message.base64 ?? '';
  const text = message.payload;
  if (!/^\s*[[{]/.test(text) || /\d{16}|\d[eE]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
