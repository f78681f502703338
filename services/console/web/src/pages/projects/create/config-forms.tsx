/** Config maps and secrets: a name, and entries. */
import { FormSection } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { bind } from '@/templates/form/binding';
import { PairsField } from '@/templates/form/fields';
import type { FieldsProps } from './forms';
import { NameField } from './name-field';

export const ConfigMapForm = (props: FieldsProps) => <EntriesForm {...props} field="data" />;
export const SecretForm = (props: FieldsProps) => <EntriesForm {...props} field="stringData" />;

function EntriesForm({ text, onText, field }: FieldsProps & { field: 'data' | 'stringData' }) {
  const { t } = useTranslation();
  const { get, set } = bind(text, onText);
  return (
    <FormSection title={t('project.form.what')} titleElement="h2">
      <NameField text={text} onText={onText} />
      <PairsField
        id="entries"
        label={t('project.form.entries')}
        keyLabel={t('project.form.key')}
        valueLabel={t('project.words.value')}
        isLong
        pairs={Object.entries(get<Record<string, string>>([field]) ?? {}).map(([key, value]) => [
          key,
          String(value),
        ])}
        onChange={(pairs) => set([[field], Object.fromEntries(pairs)])}
      />
    </FormSection>
  );
}
