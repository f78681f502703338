/** The entries of a config map or secret; those of a secret are masked until somebody asks for one. */
import {
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  ClipboardCopyButton,
  EmptyState,
  Stack,
  StackItem,
  TextArea,
} from '@patternfly/react-core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { patchObject } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import { notify, notifyError } from '@/app/notices';
import { MASK } from '@/templates/yaml/shown';
import { objectPath } from '../actions/changes';
import { type Entry, entriesOf, patchOf } from '../data-entries';
import type { ProjectKind } from '../kind';

interface DataTabProps {
  kind: ProjectKind;
  object: KubeObject;
  mayEdit: boolean;
}

export function DataTab({ kind, object, mayEdit }: DataTabProps) {
  const { t } = useTranslation();
  const entries = entriesOf(object);
  if (entries.length === 0) return <EmptyState titleText={t('project.data.none')} headingLevel="h2" />;
  return (
    <Stack hasGutter>
      {entries.map((entry) => (
        <StackItem key={entry.key}>
          <EntryCard kind={kind} object={object} entry={entry} mayEdit={mayEdit} />
        </StackItem>
      ))}
    </Stack>
  );
}

function EntryCard({ kind, object, entry, mayEdit }: DataTabProps & { entry: Entry }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const isSecret = kind.name === 'secrets';
  const [isShown, setShown] = useState(!isSecret);
  const [text, setText] = useState<string | null>(null);
  const path = objectPath(kind, object);
  const keep = async () => {
    try {
      client.setQueryData(
        [path],
        await patchObject(path, patchOf(kind.name === 'secrets', entry.key, text ?? '')),
      );
      notify('success', t('notices.saved', { name: entry.key }));
      setText(null);
    } catch (error) {
      notifyError(t('project.data.failed', { name: entry.key }), error);
    }
  };
  const isText = entry.text !== null;
  return (
    <Card isCompact>
      <CardHeader
        actions={{
          hasNoOffset: true,
          actions: (
            <>
              {isSecret && (
                <Button
                  variant="link"
                  onClick={() => setShown(!isShown)}
                  aria-label={`${t(isShown ? 'project.data.hide' : 'project.data.reveal')}: ${entry.key}`}
                >
                  {t(isShown ? 'project.data.hide' : 'project.data.reveal')}
                </Button>
              )}
              {isText && (
                <ClipboardCopyButton
                  id={`copy-${entry.key}`}
                  variant="plain"
                  aria-label={`${t('actions.copy')}: ${entry.key}`}
                  onClick={() => void navigator.clipboard.writeText(entry.text ?? '')}
                >
                  {t('actions.copy')}
                </ClipboardCopyButton>
              )}
              {mayEdit && isText && text === null && (
                <Button
                  variant="link"
                  onClick={() => setText(entry.text)}
                  aria-label={`${t('actions.edit')}: ${entry.key}`}
                >
                  {t('actions.edit')}
                </Button>
              )}
            </>
          ),
        }}
      >
        <CardTitle component="h2">
          <code>{entry.key}</code>{' '}
          <span className="ks-subtle">{t('project.data.size', { count: entry.size })}</span>
        </CardTitle>
      </CardHeader>
      <CardBody>
        {text !== null ? (
          <>
            <TextArea
              aria-label={entry.key}
              value={text}
              onChange={(_, value) => setText(value)}
              resizeOrientation="vertical"
              rows={Math.min(20, text.split('\n').length + 1)}
            />
            <div className="ks-yaml-bar">
              <Button onClick={() => void keep()}>{t('actions.save')}</Button>
              <Button variant="link" onClick={() => setText(null)}>
                {t('actions.cancel')}
              </Button>
            </div>
          </>
        ) : (
          <pre className="ks-value">{isShown ? (entry.text ?? t('project.data.binary')) : MASK}</pre>
        )}
      </CardBody>
    </Card>
  );
}
