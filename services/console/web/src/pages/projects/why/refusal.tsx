/** Why one may not do something here, and who could grant it. */
import {
  Alert,
  Button,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Skeleton,
} from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { get } from '@/api/client';
import { IAM } from '@/api/paths';
import { type Explanation, type Question, useExplanations } from './explain';

export interface Denied {
  /** What cannot be done, in words. */
  label: string;
  question: Question;
}

/** One line that says what is not offered here for lack of rights, and tells why to who asks. */
export function RefusalNotice({ denied }: { denied: Denied[] }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  if (denied.length === 0) return null;
  const what = new Intl.ListFormat(t('project.why.listLanguage'), { type: 'disjunction' }).format(
    denied.map((each) => each.label),
  );
  return (
    <>
      <Alert
        isInline
        isPlain
        variant="info"
        className="ks-refusal"
        title={
          <>
            {t('project.why.mayNot', { what })}{' '}
            <Button variant="link" isInline onClick={() => setOpen(true)}>
              {t('project.why.why')}
            </Button>
          </>
        }
      />
      {isOpen && <RefusalDialog denied={denied} onClose={() => setOpen(false)} />}
    </>
  );
}

export function RefusalDialog({ denied, onClose }: { denied: Denied[]; onClose: () => void }) {
  const { t } = useTranslation();
  const explanations = useExplanations(denied.map((each) => each.question));
  const namespace = denied[0]?.question.namespace ?? '';
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="refusal-title">
      <ModalHeader title={t('project.why.notAllowed')} labelId="refusal-title" />
      <ModalBody>
        {denied.map((each, index) => (
          <Reason key={each.label} label={each.label} explanation={explanations[index]} />
        ))}
        <Granters namespace={namespace} />
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{t('actions.close')}</Button>
      </ModalFooter>
    </Modal>
  );
}

function Reason({ label, explanation }: { label: string; explanation: Explanation | undefined }) {
  const { t } = useTranslation();
  if (!explanation) return <Skeleton width="70%" />;
  return (
    <DescriptionList isHorizontal isCompact className="ks-reason">
      <DescriptionListGroup>
        <DescriptionListTerm>{label}</DescriptionListTerm>
        <DescriptionListDescription>
          {explanation.allowed ? t('project.why.allowedNow') : explanation.because}
        </DescriptionListDescription>
      </DescriptionListGroup>
      {explanation.missing && (
        <DescriptionListGroup>
          <DescriptionListTerm>{t('project.why.missing')}</DescriptionListTerm>
          <DescriptionListDescription>
            <code>{ruleText(explanation.missing)}</code>
          </DescriptionListDescription>
        </DescriptionListGroup>
      )}
    </DescriptionList>
  );
}

function ruleText({ verbs, apiGroups = [], resources = [] }: NonNullable<Explanation['missing']>): string {
  const group = apiGroups.filter(Boolean).join(', ');
  return `${verbs.join(', ')} ${resources.join(', ')}${group ? `.${group}` : ''}`;
}

interface Person {
  username: string;
  email: string;
}

/** The administrators of the project: they can give somebody another role. */
function Granters({ namespace }: { namespace: string }) {
  const { t } = useTranslation();
  const { data = [] } = useQuery({
    queryKey: ['granters', namespace],
    queryFn: () => get<Person[]>(`${IAM}/namespaces/${encodeURIComponent(namespace)}/roles/admin/users`),
    retry: false,
  });
  if (data.length === 0) return <p>{t('project.why.askWorkspace')}</p>;
  return (
    <p>
      {t('project.why.askThese')}{' '}
      {data.map((person, index) => (
        <span key={person.username}>
          {index > 0 && ', '}
          {person.email ? <a href={`mailto:${person.email}`}>{person.username}</a> : person.username}
        </span>
      ))}
    </p>
  );
}
