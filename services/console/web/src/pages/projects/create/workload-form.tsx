/** A workload: what runs, how often, on which port, with which environment and how much of the machine. */
import { Content, FormSection } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { Field } from '@/templates/field';
import { bind } from '@/templates/form/binding';
import { NumberField, PairsField, SwitchField } from '@/templates/form/fields';
import { quantityProblem } from '@/templates/form/names';
import { type Path, readManifest } from '@/templates/yaml/document';
import type { EnvVar } from '../objects';
import type { FieldsProps } from './forms';
import { NameField } from './name-field';
import { QuotaLeft } from './quota-left';
import { exposed, renamed, serviceIndex, templatePath, withPort } from './workload-manifest';

export function WorkloadForm({ text, onText }: FieldsProps) {
  const { t } = useTranslation();
  const { objects } = readManifest(text);
  const kind = objects[0]?.kind;
  const { get, set } = bind(text, onText);
  const template = templatePath(kind);
  const container: Path = [...template, 'spec', 'containers', 0];
  const name = get<string>(['metadata', 'name']) ?? '';
  const hasReplicas = kind === 'Deployment' || kind === 'StatefulSet';
  const isServer = hasReplicas || kind === 'DaemonSet';
  const env = get<EnvVar[]>([...container, 'env']) ?? [];
  const plain = env.filter((each) => !each.valueFrom);
  return (
    <>
      <FormSection title={t('project.form.what')} titleElement="h2">
        <NameField text={text} onText={onText} isHost rename={renamed} />
        <Field
          id="image"
          label={t('project.words.image')}
          isRequired
          value={get<string>([...container, 'image']) ?? ''}
          problem={get([...container, 'image']) ? '' : t('project.form.imageMissing')}
          onChange={(value) => set([[...container, 'image'], value])}
        />
        {kind === 'CronJob' && (
          <Field
            id="schedule"
            label={t('project.words.schedule')}
            isRequired
            value={get<string>(['spec', 'schedule']) ?? ''}
            hint={t('project.form.scheduleHelp')}
            onChange={(value) => set([['spec', 'schedule'], value])}
          />
        )}
        {hasReplicas && (
          <NumberField
            id="replicas"
            label={t('project.words.replicas')}
            value={get<number>(['spec', 'replicas']) ?? 1}
            onChange={(value) => set([['spec', 'replicas'], value])}
          />
        )}
        <Field
          id="command"
          label={t('project.form.command')}
          value={(get<string[]>([...container, 'args']) ?? []).join(' ')}
          hint={t('project.form.commandHelp')}
          onChange={(value) => set([[...container, 'args'], value ? value.split(' ') : undefined])}
        />
      </FormSection>
      {isServer && (
        <FormSection title={t('project.form.reached')} titleElement="h2">
          <NumberField
            id="port"
            label={t('project.form.port')}
            value={get<number>([...container, 'ports', 0, 'containerPort']) ?? 0}
            help={t('project.form.portHelp')}
            onChange={(value) => onText(withPort(text, value))}
          />
          <SwitchField
            id="expose"
            label={t('project.form.expose')}
            help={t('project.form.exposeHelp', { name })}
            value={serviceIndex(objects) >= 0}
            onChange={(value) => onText(exposed(text, value))}
          />
        </FormSection>
      )}
      <FormSection title={t('project.tabs.environment')} titleElement="h2">
        <PairsField
          id="env"
          label={t('project.form.env')}
          keyLabel={t('words.name')}
          valueLabel={t('project.words.value')}
          pairs={plain.map((each) => [each.name, each.value ?? ''])}
          onChange={(pairs) => {
            const next = [
              ...pairs.map(([key, value]) => ({ name: key, value })),
              ...env.filter((each) => each.valueFrom),
            ];
            set([[...container, 'env'], next.length > 0 ? next : undefined]);
          }}
        />
      </FormSection>
      <FormSection title={t('project.words.resources')} titleElement="h2">
        <Content component="p">{t('project.form.resourcesHelp')}</Content>
        <QuotaLeft />
        {(['requests', 'limits'] as const).flatMap((part) =>
          (['cpu', 'memory'] as const).map((resource) => {
            const path = [...container, 'resources', part, resource];
            const value = get<string | number>(path);
            const wrong = quantityProblem(String(value ?? ''));
            return (
              <Field
                key={`${part}-${resource}`}
                id={`${part}-${resource}`}
                label={t(`project.form.${part}.${resource}`)}
                value={String(value ?? '')}
                problem={wrong && t(`project.form.${wrong}`)}
                onChange={(next) => set([path, next || undefined])}
              />
            );
          }),
        )}
      </FormSection>
    </>
  );
}
