/** Services, and routes from outside to them. */
import { FormSection } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { resourcesPath } from '@/api/paths';
import { useList } from '@/api/queries';
import { Choice, Field } from '@/templates/field';
import { bind } from '@/templates/form/binding';
import { NumberField, PairsField } from '@/templates/form/fields';
import type { Service } from '../objects';
import { useProject } from '../place';
import type { FieldsProps } from './forms';
import { NameField } from './name-field';

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer'];

export function ServiceForm({ text, onText }: FieldsProps) {
  const { t } = useTranslation();
  const { get, set } = bind(text, onText);
  return (
    <>
      <FormSection title={t('project.form.what')} titleElement="h2">
        <NameField text={text} onText={onText} isHost />
        <Choice
          id="type"
          label={t('words.type')}
          value={get<string>(['spec', 'type']) ?? 'ClusterIP'}
          options={TYPES.map((value) => ({
            value,
            label: t(`project.form.serviceTypes.${value as 'ClusterIP'}`),
          }))}
          onChange={(value) => set([['spec', 'type'], value === 'ClusterIP' ? undefined : value])}
        />
      </FormSection>
      <FormSection title={t('project.form.leads')} titleElement="h2">
        <PairsField
          id="selector"
          label={t('project.words.selector')}
          keyLabel={t('project.form.label')}
          valueLabel={t('project.words.value')}
          help={t('project.form.selectorHelp')}
          pairs={Object.entries(get<Record<string, string>>(['spec', 'selector']) ?? {})}
          onChange={(pairs) => set([['spec', 'selector'], Object.fromEntries(pairs)])}
        />
        <NumberField
          id="port"
          label={t('project.form.servicePort')}
          min={1}
          value={get<number>(['spec', 'ports', 0, 'port']) ?? 80}
          onChange={(value) => set([['spec', 'ports', 0, 'port'], value])}
        />
        <NumberField
          id="target"
          label={t('project.form.targetPort')}
          min={1}
          value={Number(get(['spec', 'ports', 0, 'targetPort']) ?? 80)}
          onChange={(value) => set([['spec', 'ports', 0, 'targetPort'], value])}
        />
      </FormSection>
    </>
  );
}

export function RouteForm({ text, onText }: FieldsProps) {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const { get, set } = bind(text, onText);
  const services = useList<Service>(resourcesPath('services', namespace), { orderBy: 'name', limit: 100 });
  const rule = ['spec', 'rules', 0];
  const backend = [...rule, 'http', 'paths', 0, 'backend', 'service'];
  const chosen = get<string>([...backend, 'name']) ?? '';
  const names = [...new Set([chosen, ...services.items.map((each) => each.metadata.name)])].filter(Boolean);
  const choose = (service: string) => {
    const port = services.items.find((each) => each.metadata.name === service)?.spec?.ports?.[0]?.port;
    set(
      [[...backend, 'name'], service],
      ...(port ? ([[[...backend, 'port', 'number'], port]] as [string[], unknown][]) : []),
    );
  };
  return (
    <>
      <FormSection title={t('project.form.what')} titleElement="h2">
        <NameField text={text} onText={onText} />
        <Field
          id="host"
          label={t('project.form.host')}
          value={get<string>([...rule, 'host']) ?? ''}
          hint={t('project.form.hostHelp')}
          onChange={(value) => set([[...rule, 'host'], value || undefined])}
        />
        <Field
          id="path"
          label={t('project.form.path')}
          value={get<string>([...rule, 'http', 'paths', 0, 'path']) ?? '/'}
          onChange={(value) => set([[...rule, 'http', 'paths', 0, 'path'], value])}
        />
      </FormSection>
      <FormSection title={t('project.form.leads')} titleElement="h2">
        <Choice
          id="service"
          label={t('project.kinds.services.one')}
          value={chosen}
          options={names.map((value) => ({ value, label: value }))}
          onChange={choose}
        />
        <NumberField
          id="port"
          label={t('project.form.servicePort')}
          min={1}
          value={get<number>([...backend, 'port', 'number']) ?? 80}
          onChange={(value) => set([[...backend, 'port', 'number'], value])}
        />
      </FormSection>
    </>
  );
}
