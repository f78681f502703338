/** What containers are told by their environment, and where each value comes from. */
import { Card, CardBody, CardTitle, Stack, StackItem } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { RouterLink } from '@/app/link';
import { PlainTable } from '@/templates/plain-table';
import type { Container, EnvVar, KeyRef } from '../objects';
import { type Project, useProject } from '../place';

export function EnvironmentTab({ containers }: { containers: Container[] }) {
  const { t } = useTranslation();
  const project = useProject();
  return (
    <Stack hasGutter>
      {containers.map((container) => (
        <StackItem key={container.name}>
          <Card>
            <CardTitle component="h2">{container.name}</CardTitle>
            <CardBody>
              <PlainTable<EnvVar>
                label={t('project.environment.of', { name: container.name })}
                items={container.env ?? []}
                rowKey={(each) => each.name}
                empty={t('project.environment.none')}
                columns={[
                  { title: t('words.name'), cell: (each) => <code>{each.name}</code>, width: 30 },
                  { title: t('project.words.value'), cell: (each) => <Value of={each} project={project} /> },
                ]}
              />
              {(container.envFrom ?? []).map((from) => (
                <p key={`${from.configMapRef?.name}/${from.secretRef?.name}/${from.prefix}`}>
                  {t('project.environment.allOf')}{' '}
                  <Source configMap={from.configMapRef} secret={from.secretRef} project={project} />
                </p>
              ))}
            </CardBody>
          </Card>
        </StackItem>
      ))}
    </Stack>
  );
}

function Value({ of, project }: { of: EnvVar; project: Project }) {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = of.valueFrom ?? {};
  if (configMapKeyRef || secretKeyRef) {
    return <Source configMap={configMapKeyRef} secret={secretKeyRef} project={project} />;
  }
  const field = fieldRef?.fieldPath ?? resourceFieldRef?.resource;
  return <code className="ks-break">{field ?? of.value ?? ''}</code>;
}

function Source({ configMap, secret, project }: { configMap?: KeyRef; secret?: KeyRef; project: Project }) {
  const ref = configMap ?? secret;
  const kind = configMap ? 'configmaps' : 'secrets';
  return (
    <>
      <RouterLink to={project.objectPath(kind, ref?.name ?? '')}>{ref?.name}</RouterLink>
      {ref?.key && ` / ${ref.key}`}
    </>
  );
}
