/**
 * Making objects: a form beside the YAML that it writes, each of them changing the other. What is made is tried
 * first, as who is signed in, and told before anything happens.
 */
import {
  Alert,
  Breadcrumb,
  BreadcrumbItem,
  Button,
  List,
  ListItem,
  PageSection,
  Title,
} from '@patternfly/react-core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { applyObject } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import { RESOURCES } from '@/api/paths';
import { refresh } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { notify } from '@/app/notices';
import { NotFound } from '@/app/problem';
import { FormPage } from '@/templates/form/form-page';
import { manifestOf, readManifest } from '@/templates/yaml/document';
import type { ProjectKind } from '../kind';
import { KINDS } from '../kinds';
import { type KindName, useProject } from '../place';
import { useKindRights } from '../rights';
import { RefusalNotice } from '../why/refusal';
import { FORMS } from './forms';
import { type Trial, tryManifest } from './trial';

export function CreatePage() {
  const { kind } = useParams({ strict: false }) as { kind?: string };
  const found = kind && kind in KINDS ? KINDS[kind as KindName] : undefined;
  return found?.creatable ? <Create key={found.name} kind={found} /> : <NotFound />;
}

function Create({ kind }: { kind: ProjectKind }) {
  const { t } = useTranslation();
  const project = useProject();
  const navigate = useNavigate();
  const { denied } = useKindRights(kind);
  const [text, setText] = useState(() => manifestOf(kind.example(project.namespace)));
  const [trial, setTrial] = useState<Trial | null>(null);
  const [error, setError] = useState('');
  const [isWorking, setWorking] = useState(false);
  const change = (next: string) => {
    setText(next);
    setTrial(null);
    setError('');
  };
  const attempt = async (work: () => Promise<void>) => {
    setWorking(true);
    setError('');
    try {
      await work();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
    setWorking(false);
  };
  const review = () => attempt(async () => setTrial(await tryManifest(text, project.namespace)));
  const submit = () =>
    attempt(async () => {
      const { objects } = readManifest(text);
      let first: KubeObject | undefined;
      for (const object of objects) {
        const made = await applyObject(object, project.namespace);
        first ??= made;
      }
      const name = first?.metadata.name ?? '';
      notify('success', t('notices.created', { name }));
      await refresh(RESOURCES);
      await navigate({
        to: first?.kind === kind.ref.kind ? project.objectPath(kind.name, name) : project.listPath(kind.name),
      });
    });
  const isGood = trial?.items.every((each) => !each.error) ?? false;
  const title = t(`project.kinds.${kind.name}.create`);
  const Fields = FORMS[kind.name];
  return (
    <>
      <PageSection hasBodyWrapper={false} className="ks-heading">
        <Breadcrumb aria-label={t('project.breadcrumb')}>
          <BreadcrumbItem
            render={({ className }) => (
              <RouterLink to={project.listPath(kind.name)} className={className}>
                {t(`project.kinds.${kind.name}.many`)}
              </RouterLink>
            )}
          />
          <BreadcrumbItem isActive>{title}</BreadcrumbItem>
        </Breadcrumb>
        <Title headingLevel="h1">{title}</Title>
        <RefusalNotice denied={denied.filter((each) => each.question.verb === 'create')} />
      </PageSection>
      <FormPage
        text={text}
        onText={change}
        fields={Fields && <Fields text={text} onText={change} />}
        messages={
          <>
            {error && (
              <Alert isInline variant="danger" title={t('project.create.refused')}>
                {error}
              </Alert>
            )}
            {trial && <TrialShown trial={trial} />}
          </>
        }
        actions={
          <>
            <Button
              onClick={() => void (isGood ? submit() : review())}
              isLoading={isWorking}
              isDisabled={isWorking}
            >
              {isGood ? t('actions.create') : t('project.create.review')}
            </Button>
            <Button variant="link" onClick={() => void navigate({ to: project.listPath(kind.name) })}>
              {t('actions.cancel')}
            </Button>
          </>
        }
      />
    </>
  );
}

function TrialShown({ trial }: { trial: Trial }) {
  const { t } = useTranslation();
  const failed = trial.items.some((each) => each.error);
  return (
    <Alert
      isInline
      variant={failed ? 'danger' : 'success'}
      title={t(failed ? 'project.create.wouldFail' : 'project.create.wouldWork')}
    >
      <List isPlain>
        {trial.items.map((each) => (
          <ListItem key={`${each.kind}/${each.name}`}>
            <strong>{`${each.kind} ${each.name}`}</strong>:{' '}
            {each.error ? each.error.message : t(`project.create.action.${each.action ?? 'none'}`)}
            {!each.error &&
              each.action === 'update' &&
              ` (${(each.changes ?? [])
                .map((one) => one.path)
                .slice(0, 6)
                .join(', ')})`}
          </ListItem>
        ))}
      </List>
    </Alert>
  );
}
