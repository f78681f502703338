/** Events in order. Pure. */
import type { KubeEvent } from './objects';

export function lastSeen(event: KubeEvent): string {
  return (
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.metadata.creationTimestamp ??
    ''
  );
}

export function latestFirst(events: readonly KubeEvent[]): KubeEvent[] {
  return [...events].sort((one, other) => Date.parse(lastSeen(other)) - Date.parse(lastSeen(one)));
}
