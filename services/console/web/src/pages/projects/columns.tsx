/** Columns that most kinds have. */
import type { TFunction } from 'i18next';
import { aliasOf, type KubeObject } from '@/api/objects';
import { RouterLink } from '@/app/link';
import { Labels } from '@/templates/facts';
import type { Column } from '@/templates/list-table';
import type { KindName, Project } from './place';
import type { Status } from './status';
import { StatusLabel } from './status-label';

export function nameColumn<T extends KubeObject>(t: TFunction, project: Project, kind: KindName): Column<T> {
  return {
    key: 'name',
    title: t('words.name'),
    sortKey: 'name',
    width: 25,
    text: (each) => each.metadata.name,
    cell: (each) => (
      <>
        <RouterLink to={project.objectPath(kind, each.metadata.name)}>{each.metadata.name}</RouterLink>
        {aliasOf(each) && <div className="ks-subtle">{aliasOf(each)}</div>}
      </>
    ),
  };
}

export function statusColumn<T extends KubeObject>(t: TFunction, statusOf: (each: T) => Status): Column<T> {
  return {
    key: 'status',
    title: t('words.status'),
    text: (each) => t(`project.status.${statusOf(each).key}`),
    cell: (each) => <StatusLabel status={statusOf(each)} withReason />,
  };
}

export function labelsColumn<T extends KubeObject>(t: TFunction): Column<T> {
  return {
    key: 'labels',
    title: t('words.labels'),
    isHidden: true,
    text: (each) => labelTexts(each.metadata.labels).join(' '),
    cell: (each) => <Labels of={each.metadata.labels} />,
  };
}

export function labelTexts(labels: Record<string, string> | undefined): string[] {
  return Object.entries(labels ?? {}).map(([key, value]) => (value ? `${key}=${value}` : key));
}
