/** What a new object is called: the first field of every form. */
import { useTranslation } from 'react-i18next';
import { Field } from '@/templates/field';
import { bind } from '@/templates/form/binding';
import { longNameProblem, nameProblem } from '@/templates/form/names';
import type { FieldsProps } from './forms';

interface NameFieldProps extends FieldsProps {
  /** Whether it is a part of a host name, which is shorter and has no dots. */
  isHost?: boolean;
  /** Where the name is in more places than one: the whole text with another name. */
  rename?: (text: string, name: string) => string;
}

export function NameField({ text, onText, isHost, rename }: NameFieldProps) {
  const { t } = useTranslation();
  const { get, set } = bind(text, onText);
  const name = get<string>(['metadata', 'name']) ?? '';
  const problem = isHost ? nameProblem(name) : longNameProblem(name);
  return (
    <Field
      id="name"
      label={t('words.name')}
      isRequired
      value={name}
      problem={problem && t(`project.form.${problem}`)}
      hint={isHost ? t('project.form.nameHelp') : undefined}
      onChange={(value) => (rename ? onText(rename(text, value)) : set([['metadata', 'name'], value]))}
    />
  );
}
