/** What something new of tenancy is called, how it is shown and what it is for. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ALIAS, DESCRIPTION } from '@/api/objects';
import { Field } from './field';
import { isName } from './names';

export interface Naming {
  name: string;
  alias: string;
  description: string;
}

const NOTHING: Naming = { name: '', alias: '', description: '' };

export function useNaming() {
  return useState(NOTHING);
}

export function metadataOf({ name, alias, description }: Naming) {
  return { name, annotations: { [ALIAS]: alias, [DESCRIPTION]: description } };
}

interface NamingFieldsProps {
  /** Goes before the identifiers of the fields. */
  id: string;
  naming: Naming;
  onChange: (naming: Naming) => void;
}

export function NamingFields({ id, naming, onChange }: NamingFieldsProps) {
  const { t } = useTranslation();
  const { name, alias, description } = naming;
  return (
    <>
      <Field
        id={`${id}-name`}
        label={t('words.name')}
        value={name}
        onChange={(value) => onChange({ ...naming, name: value })}
        hint={t('platform.workspaces.nameHint')}
        problem={isName(name) ? '' : t('platform.workspaces.nameBad')}
        isRequired
        autoFocus
      />
      <Field
        id={`${id}-alias`}
        label={t('words.alias')}
        value={alias}
        onChange={(value) => onChange({ ...naming, alias: value })}
      />
      <Field
        id={`${id}-description`}
        label={t('words.description')}
        value={description}
        onChange={(value) => onChange({ ...naming, description: value })}
        isLong
      />
    </>
  );
}
