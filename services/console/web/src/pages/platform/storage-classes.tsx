import { Label } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { patch } from '@/api/client';
import { useLiveList } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import { RESOURCES } from '@/api/paths';
import { refresh } from '@/api/queries';
import { notify, notifyError } from '@/app/notices';
import { useMay } from '@/app/session';
import { createdColumn } from '@/templates/columns';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import type { Column } from '@/templates/list-table';

type StorageClass = KubeObject & {
  provisioner: string;
  reclaimPolicy?: string;
  volumeBindingMode?: string;
  allowVolumeExpansion?: boolean;
};

const DEFAULT = 'storageclass.kubernetes.io/is-default-class';
const DEFAULTS = { sort: 'name' };
const isDefault = (each: StorageClass) => each.metadata.annotations?.[DEFAULT] === 'true';

export function StorageClassesPage() {
  const { t } = useTranslation();
  const may = useMay();
  const view = useListView(DEFAULTS);
  const list = useLiveList<StorageClass>('storageclasses', '', toQuery(view));
  const makeDefault = async (name: string) => {
    try {
      await patch(
        `${RESOURCES}/storageclasses/${name}`,
        { metadata: { annotations: { [DEFAULT]: 'true' } } },
        'application/json',
      );
      notify('success', t('platform.storageClasses.nowDefault', { name }));
      await refresh(`${RESOURCES}/storageclasses`);
    } catch (error) {
      notifyError(name, error);
    }
  };
  const columns: Column<StorageClass>[] = [
    {
      key: 'name',
      title: t('words.name'),
      sortKey: 'name',
      width: 25,
      text: (each) => each.metadata.name,
      cell: (each) => (
        <>
          {each.metadata.name}{' '}
          {isDefault(each) && (
            <Label isCompact color="blue">
              {t('platform.storageClasses.default')}
            </Label>
          )}
        </>
      ),
    },
    { key: 'provisioner', title: t('platform.storageClasses.provisioner'), cell: (each) => each.provisioner },
    {
      key: 'reclaim',
      title: t('platform.storageClasses.reclaim'),
      cell: (each) => each.reclaimPolicy ?? 'Delete',
    },
    {
      key: 'binding',
      title: t('platform.storageClasses.binding'),
      cell: (each) => each.volumeBindingMode ?? 'Immediate',
    },
    {
      key: 'expansion',
      title: t('platform.storageClasses.expansion'),
      cell: (each) => (each.allowVolumeExpansion ? t('status.yes') : t('status.no')),
    },
    createdColumn(t),
  ];
  return (
    <ListPage
      id="storageclasses"
      title={t('platform.storageClasses.title')}
      about={t('platform.storageClasses.about')}
      view={view}
      list={list}
      columns={columns}
      rowKey={(each) => each.metadata.uid ?? each.metadata.name}
      nameOf={(each) => each.metadata.name}
      actions={(each) =>
        may('storageclasses', 'edit') && !isDefault(each)
          ? [
              {
                label: t('platform.storageClasses.makeDefault'),
                onClick: () => void makeDefault(each.metadata.name),
              },
            ]
          : []
      }
      empty={{ title: t('platform.storageClasses.emptyTitle'), body: t('platform.storageClasses.emptyBody') }}
    />
  );
}
