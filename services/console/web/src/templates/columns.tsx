/** A column that every list of objects has. */
import type { TFunction } from 'i18next';
import type { KubeObject } from '@/api/objects';
import { Age } from '@/app/time';
import type { Column } from './list-table';

export function createdColumn<T extends KubeObject>(t: TFunction): Column<T> {
  return {
    key: 'created',
    title: t('words.created'),
    sortKey: 'createTime',
    text: (each) => each.metadata.creationTimestamp ?? '',
    cell: (each) => <Age of={each.metadata.creationTimestamp} />,
  };
}
