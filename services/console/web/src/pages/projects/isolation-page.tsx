/** Who may reach the pods of a project over the network. */
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  Content,
  Label,
  LabelGroup,
  PageSection,
  Stack,
  StackItem,
  Switch,
  TextInput,
  Title,
} from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { applyObject, CLUSTER_KINDS, clusterPath, listObjects, removeObject } from '@/api/cluster';
import { notify, notifyError } from '@/app/notices';
import { Problem } from '@/app/problem';
import { PageSkeleton } from '@/app/shell';
import { Age } from '@/app/time';
import { Labels } from '@/templates/facts';
import { nameProblem } from '@/templates/form/names';
import { PlainTable } from '@/templates/plain-table';
import { allowedBy, ISOLATION, isolationPolicy, type NetworkPolicy } from './isolation-policy';
import { useProject } from './place';
import { useExplanations } from './why/explain';
import { RefusalNotice } from './why/refusal';

export function IsolationPage() {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const question = { verb: 'create', group: 'networking.k8s.io', resource: 'networkpolicies', namespace };
  const [explanation] = useExplanations([question]);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['network policies', namespace],
    queryFn: () => listObjects<NetworkPolicy>(CLUSTER_KINDS.networkpolicies, namespace),
  });
  const [isWorking, setWorking] = useState(false);
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (isPending) return <PageSkeleton />;
  const own = data.items.find((each) => each.metadata.name === ISOLATION);
  const allowed = allowedBy(own);
  const may = explanation?.allowed === true;
  const change = async (work: () => Promise<unknown>) => {
    setWorking(true);
    try {
      await work();
      notify('success', t('notices.saved', { name: t('project.isolation.title') }));
    } catch (problem) {
      notifyError(t('project.isolation.failed'), problem);
    }
    await refetch();
    setWorking(false);
  };
  const allow = (names: string[]) => change(() => applyObject(isolationPolicy(namespace, names), namespace));
  const open = () =>
    change(() => removeObject(clusterPath(CLUSTER_KINDS.networkpolicies, namespace, ISOLATION)));
  return (
    <>
      <PageSection hasBodyWrapper={false} className="ks-heading">
        <Title headingLevel="h1">{t('project.isolation.title')}</Title>
        <Content component="p">{t('project.isolation.about')}</Content>
        {explanation?.allowed === false && (
          <RefusalNotice denied={[{ label: t('project.isolation.change'), question }]} />
        )}
      </PageSection>
      <PageSection hasBodyWrapper={false} isFilled>
        <Stack hasGutter>
          <StackItem>
            <Card>
              <CardTitle component="h2">{t('project.isolation.ofProject')}</CardTitle>
              <CardBody>
                <Switch
                  id="isolation"
                  label={t(own ? 'project.isolation.on' : 'project.isolation.off')}
                  isChecked={own !== undefined}
                  isDisabled={!may || isWorking}
                  onChange={(_, on) => void (on ? allow([]) : open())}
                />
                {own && (
                  <Allowed
                    names={allowed}
                    mayChange={may && !isWorking}
                    onChange={(names) => void allow(names)}
                  />
                )}
              </CardBody>
            </Card>
          </StackItem>
          <StackItem>
            <Card>
              <CardTitle component="h2">{t('project.isolation.policies')}</CardTitle>
              <CardBody>
                <Alert isInline isPlain variant="info" title={t('project.isolation.enforced')} />
                <PlainTable
                  label={t('project.isolation.policies')}
                  items={data.items}
                  rowKey={(each) => each.metadata.uid ?? each.metadata.name}
                  empty={t('project.isolation.noPolicies')}
                  columns={[
                    { title: t('words.name'), cell: (each) => each.metadata.name, width: 25 },
                    { title: t('project.isolation.appliesTo'), cell: (each) => <AppliesTo policy={each} /> },
                    {
                      title: t('words.type'),
                      cell: (each) => (each.spec?.policyTypes ?? []).join(', '),
                      width: 15,
                    },
                    {
                      title: t('words.created'),
                      cell: (each) => <Age of={each.metadata.creationTimestamp} />,
                      width: 15,
                    },
                  ]}
                />
              </CardBody>
            </Card>
          </StackItem>
        </Stack>
      </PageSection>
    </>
  );
}

function AppliesTo({ policy }: { policy: NetworkPolicy }) {
  const { t } = useTranslation();
  const labels = policy.spec?.podSelector?.matchLabels;
  return labels && Object.keys(labels).length > 0 ? <Labels of={labels} /> : t('project.isolation.allPods');
}

function Allowed({
  names,
  mayChange,
  onChange,
}: {
  names: string[];
  mayChange: boolean;
  onChange: (names: string[]) => void;
}) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (nameProblem(text)) return;
    onChange([...new Set([...names, text])]);
    setText('');
  };
  return (
    <form onSubmit={add} className="ks-allowed">
      <LabelGroup categoryName={t('project.isolation.letIn')} numLabels={20}>
        {names.map((name) => (
          <Label
            key={name}
            onClose={mayChange ? () => onChange(names.filter((each) => each !== name)) : undefined}
            closeBtnAriaLabel={`${t('actions.remove')} ${name}`}
          >
            {name}
          </Label>
        ))}
      </LabelGroup>
      {mayChange && (
        <div className="ks-pair">
          <TextInput
            value={text}
            onChange={(_, value) => setText(value)}
            aria-label={t('project.isolation.addProject')}
            placeholder={t('project.isolation.addProject')}
          />
          <Button type="submit" variant="secondary" isDisabled={nameProblem(text) !== ''}>
            {t('project.form.add')}
          </Button>
        </div>
      )}
    </form>
  );
}
