/** What pages need to know of a kind of objects. A kind is a small file; lists and details are templates over it. */
import type { TFunction } from 'i18next';
import type { ReactNode } from 'react';
import type { KindRef } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import type { Column } from '@/templates/list-table';
import type { Container, PodTemplate, Selector } from './objects';
import type { KindName, Project } from './place';
import type { Status, StatusKey } from './status';

export type TabName =
  | 'pods'
  | 'jobs'
  | 'revisions'
  | 'environment'
  | 'data'
  | 'logs'
  | 'terminal'
  | 'events'
  | 'yaml';

export type ActionName = 'scale' | 'restart' | 'pause' | 'suspend' | 'rerun';

export interface Fact {
  term: string;
  value: ReactNode;
}

export interface ProjectKind<T extends KubeObject = KubeObject> {
  name: KindName;
  ref: KindRef;
  /** As the rules of the tenant API call it. */
  permission: string;
  /** The actions of that permission which these pages ask for; without `create`, nobody creates one here. */
  creatable: boolean;
  statusOf?: (object: T) => Status;
  /** What the service can filter by. */
  statuses?: StatusKey[];
  /** Whether the service can tell those that somebody has to look at. */
  canBeAbnormal?: boolean;
  columns: (t: TFunction, project: Project) => Column<T>[];
  facts: (object: T, t: TFunction, project: Project) => Fact[];
  tabs: TabName[];
  actions: ActionName[];
  /** The template of its pods. */
  templateOf?: (object: T) => PodTemplate | undefined;
  selectorOf?: (object: T) => Selector | undefined;
  /** What one begins with who writes one. */
  example: (namespace: string) => object;
}

/** A kind, for tables of kinds: what it is given there is of that kind. */
export function projectKind<T extends KubeObject>(kind: ProjectKind<T>): ProjectKind {
  return kind as unknown as ProjectKind;
}

/** All containers of a template, those that prepare first. */
export function containersOf(template: PodTemplate | undefined): Container[] {
  return [...(template?.spec.initContainers ?? []), ...(template?.spec.containers ?? [])];
}

/** A selector as the API takes it in a query. */
export function selectorText(selector: Selector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',');
}
