/**
 * Pages that stay current: one WebSocket for all of them, to the apiserver's coalesced watch.
 *
 * Each subscription names a page; the service tells what has changed of it, at most twice a second. A connection
 * that is lost is made again, with longer and longer waits, and tells whole pages anew.
 */
import { RESOURCES } from './paths';

export interface LivePage<T> {
  items: T[];
  total_count: number;
}

export interface Watched {
  resource: string;
  namespace: string;
  /** As in the address of a list. */
  query: string;
}

export type LiveState = 'connecting' | 'live' | 'lost' | 'refused';

interface Listener<T> {
  page: (page: LivePage<T>) => void;
  state: (state: LiveState) => void;
}

interface Subscription {
  watched: Watched;
  objects: Map<string, Identified>;
  listener: Listener<Identified>;
}

interface Identified {
  metadata: { uid?: string };
}

interface Delta {
  id: string;
  total_count?: number;
  order?: string[];
  changed?: Identified[];
  error?: { status: number; message: string; reason: string };
}

const LINGER_MS = 5_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** What is known of a page once `delta` was told; objects that did not change stay the very same. */
export function merged<T extends Identified>(
  known: Map<string, T>,
  delta: { order: string[]; changed: T[] },
): Map<string, T> {
  const fresh = new Map(delta.changed.map((each) => [each.metadata.uid ?? '', each]));
  const now = new Map<string, T>();
  for (const uid of delta.order) {
    const item = fresh.get(uid) ?? known.get(uid);
    if (item) now.set(uid, item);
  }
  return now;
}

export class LiveConnection {
  private readonly subscriptions = new Map<string, Subscription>();
  private socket: WebSocket | null = null;
  private serial = 0;
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly open: () => WebSocket) {}

  /** Tells `listener` of the page from now on, until the function that is given back is called. */
  watch<T extends Identified>(watched: Watched, listener: Listener<T>): () => void {
    const id = `p${++this.serial}`;
    const subscription = { watched, objects: new Map(), listener: listener as Listener<Identified> };
    this.subscriptions.set(id, subscription);
    listener.state('connecting');
    if (this.socket?.readyState === WebSocket.OPEN) this.ask(id, subscription);
    else this.connect();
    return () => this.forget(id);
  }

  private forget(id: string): void {
    if (!this.subscriptions.delete(id)) return;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ id, close: true }));
    if (this.subscriptions.size > 0) return;
    setTimeout(() => {
      if (this.subscriptions.size === 0) this.socket?.close();
    }, LINGER_MS);
  }

  private connect(): void {
    if (this.socket !== null) return;
    clearTimeout(this.timer);
    const socket = this.open();
    this.socket = socket;
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      for (const [id, subscription] of this.subscriptions) this.ask(id, subscription);
    };
    socket.onmessage = (event) => this.told(JSON.parse(String(event.data)) as Delta);
    socket.onclose = () => this.lost(socket);
  }

  private ask(id: string, subscription: Subscription): void {
    subscription.objects = new Map();
    this.socket?.send(JSON.stringify({ id, ...subscription.watched }));
  }

  private lost(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    if (this.subscriptions.size === 0) return;
    for (const { listener } of this.subscriptions.values()) listener.state('lost');
    this.timer = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private told(delta: Delta): void {
    const subscription = this.subscriptions.get(delta.id);
    if (!subscription) return;
    if (delta.error) {
      subscription.listener.state(delta.error.status < 500 ? 'refused' : 'lost');
      return;
    }
    const { order = [], changed = [], total_count = 0 } = delta;
    subscription.objects = merged(subscription.objects, { order, changed });
    subscription.listener.state('live');
    subscription.listener.page({ items: [...subscription.objects.values()], total_count });
  }
}

export const live = new LiveConnection(() => {
  const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
  return new WebSocket(`${scheme}://${window.location.host}${RESOURCES}/watch`);
});
