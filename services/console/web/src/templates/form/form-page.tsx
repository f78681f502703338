/** A form on the left, the YAML that it is about on the right; either changes the other. */
import { ActionList, Alert, Form, PageSection, Split, SplitItem } from '@patternfly/react-core';
import { lazy, type ReactNode, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { PageSkeleton } from '@/app/shell';
import { readManifest } from '../yaml/document';

const YamlEditor = lazy(() => import('../yaml/editor').then((it) => ({ default: it.YamlEditor })));

interface FormPageProps {
  text: string;
  onText: (text: string) => void;
  /** Without any, there is the YAML alone. */
  fields?: ReactNode;
  messages: ReactNode;
  actions: ReactNode;
}

export function FormPage({ text, onText, fields, messages, actions }: FormPageProps) {
  const { t } = useTranslation();
  const { problems } = readManifest(text);
  return (
    <>
      <PageSection hasBodyWrapper={false} isFilled className="ks-form-page">
        <Split hasGutter className="ks-form-split">
          {fields && (
            <SplitItem className="ks-form-fields">
              {problems.length > 0 ? (
                <Alert isInline variant="warning" title={t('project.form.notYaml')}>
                  {problems[0]?.message}
                </Alert>
              ) : (
                <Form onSubmit={(event) => event.preventDefault()}>{fields}</Form>
              )}
            </SplitItem>
          )}
          <SplitItem isFilled className="ks-form-yaml">
            <Suspense fallback={<PageSkeleton />}>
              <YamlEditor value={text} onChange={onText} label={t('project.form.yaml')} />
            </Suspense>
          </SplitItem>
        </Split>
      </PageSection>
      <PageSection hasBodyWrapper={false} stickyOnBreakpoint={{ default: 'bottom' }} className="ks-form-end">
        {messages}
        <ActionList>{actions}</ActionList>
      </PageSection>
    </>
  );
}
