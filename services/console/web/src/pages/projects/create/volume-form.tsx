import { FormSection } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import type { KubeObject } from '@/api/objects';
import { resourcesPath } from '@/api/paths';
import { useList } from '@/api/queries';
import { Choice, Field } from '@/templates/field';
import { bind } from '@/templates/form/binding';
import { quantityProblem } from '@/templates/form/names';
import type { FieldsProps } from './forms';
import { NameField } from './name-field';

const MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'] as const;

export function VolumeForm({ text, onText }: FieldsProps) {
  const { t } = useTranslation();
  const { get, set } = bind(text, onText);
  const classes = useList<KubeObject>(resourcesPath('storageclasses'), { limit: 100 });
  const size = ['spec', 'resources', 'requests', 'storage'];
  const amount = get<string>(size) ?? '';
  const wrong = quantityProblem(amount);
  const chosen = get<string>(['spec', 'storageClassName']) ?? '';
  const names = [...new Set([chosen, ...classes.items.map((each) => each.metadata.name)])].filter(Boolean);
  return (
    <FormSection title={t('project.form.what')} titleElement="h2">
      <NameField text={text} onText={onText} />
      <Field
        id="size"
        label={t('project.words.size')}
        isRequired
        value={amount}
        problem={wrong && t(`project.form.${wrong}`)}
        onChange={(value) => set([size, value])}
      />
      <Choice
        id="class"
        label={t('project.words.storageClass')}
        value={chosen}
        options={[
          { value: '', label: t('project.form.defaultClass') },
          ...names.map((value) => ({ value, label: value })),
        ]}
        onChange={(value) => set([['spec', 'storageClassName'], value || undefined])}
      />
      <Choice
        id="mode"
        label={t('project.words.accessModes')}
        value={get<string>(['spec', 'accessModes', 0]) ?? 'ReadWriteOnce'}
        options={MODES.map((value) => ({ value, label: t(`project.form.modes.${value}`) }))}
        onChange={(value) => set([['spec', 'accessModes'], [value]])}
      />
    </FormSection>
  );
}
