/** Deleting, deliberately: what goes along and what is left without it is shown first. */
import {
  Alert,
  Button,
  Content,
  Form,
  FormGroup,
  List,
  ListItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Skeleton,
  TextInput,
} from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { removeObject } from '@/api/cluster';
import type { KubeObject } from '@/api/objects';
import { resourcesPath } from '@/api/paths';
import { refresh } from '@/api/queries';
import { problemText } from '@/app/errors';
import { notify } from '@/app/notices';
import type { ProjectKind } from '../kind';
import { objectPath } from './changes';
import { dependentsOf } from './dependents';

interface RemoveDialogProps {
  kind: ProjectKind;
  objects: KubeObject[];
  onClose: () => void;
  onRemoved?: () => void;
}

type Outcome = 'wouldWork' | 'wouldFail' | 'failed';

/** Where data is lost, the name is asked for. */
const LOSES_DATA = new Set(['persistentvolumeclaims', 'secrets', 'configmaps']);
const SHOWN = 8;

export function RemoveDialog({ kind, objects: chosen, onClose, onRemoved }: RemoveDialogProps) {
  const { t } = useTranslation();
  const [objects, setObjects] = useState(chosen);
  const [typed, setTyped] = useState('');
  const [isWorking, setWorking] = useState(false);
  const [tried, setTried] = useState<{ outcome: Outcome; text: string } | null>(null);
  const one = objects.length === 1 ? objects[0] : undefined;
  const name = namesOf(objects, t);
  const needsName = LOSES_DATA.has(kind.name);
  const expected = one?.metadata.name ?? String(objects.length);
  const { data, isPending } = useQuery({
    queryKey: ['dependents', kind.name, objects.map((each) => each.metadata.uid)],
    queryFn: async () => {
      const all = await Promise.all(objects.map((each) => dependentsOf(kind, each)));
      return {
        goesAlong: all.flatMap((each) => each.goesAlong),
        leftWithout: all.flatMap((each) => each.leftWithout),
      };
    },
  });
  const run = async (dryRun: boolean) => {
    setWorking(true);
    const done = await Promise.allSettled(
      objects.map((each) => removeObject(objectPath(kind, each), { dryRun })),
    );
    setWorking(false);
    const failed = done.flatMap((each) => (each.status === 'rejected' ? [problemText(each.reason)] : []));
    if (dryRun) {
      setTried({ outcome: failed.length === 0 ? 'wouldWork' : 'wouldFail', text: failed.join(' ') });
      return;
    }
    const gone = objects.filter((_, index) => done[index]?.status === 'fulfilled');
    if (gone.length > 0) notify('success', t('notices.deleted', { name: namesOf(gone, t) }));
    await refresh(resourcesPath(kind.name, objects[0]?.metadata.namespace));
    if (failed.length > 0) {
      setObjects(objects.filter((each) => !gone.includes(each)));
      setTried({ outcome: 'failed', text: [...new Set(failed)].join(' ') });
      return;
    }
    onClose();
    onRemoved?.();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="remove-title">
      <ModalHeader title={t('remove.title', { name })} titleIconVariant="warning" labelId="remove-title" />
      <ModalBody>
        {!one && (
          <Names title={t('project.remove.these')} names={objects.map((each) => each.metadata.name)} />
        )}
        {isPending && <Skeleton width="60%" />}
        {data && data.goesAlong.length > 0 && <Names title={t('remove.goesAlong')} names={data.goesAlong} />}
        {data && data.leftWithout.length > 0 && (
          <Names title={t('project.remove.leftWithout')} names={data.leftWithout} />
        )}
        {data && data.goesAlong.length + data.leftWithout.length === 0 && (
          <Content component="p">{t('project.remove.nothingElse')}</Content>
        )}
        <Content component="p">{t('project.remove.final')}</Content>
        {needsName && (
          <Form onSubmit={(event) => event.preventDefault()}>
            <FormGroup label={t('remove.typeName', { name: expected })} fieldId="remove-name">
              <TextInput
                id="remove-name"
                value={typed}
                onChange={(_, value) => setTyped(value)}
                autoComplete="off"
              />
            </FormGroup>
          </Form>
        )}
        {tried && (
          <Alert
            isInline
            variant={tried.outcome === 'wouldWork' ? 'success' : 'danger'}
            title={t(`project.remove.${tried.outcome}`, { name })}
          >
            {tried.text}
          </Alert>
        )}
      </ModalBody>
      <ModalFooter>
        <Button
          variant="danger"
          isDisabled={isWorking || (needsName && typed !== expected)}
          isLoading={isWorking}
          onClick={() => void run(false)}
        >
          {t('remove.submit')}
        </Button>
        <Button variant="secondary" isDisabled={isWorking} onClick={() => void run(true)}>
          {t('project.remove.dryRun')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function namesOf(objects: KubeObject[], t: TFunction): string {
  const only = objects.length === 1 ? objects[0] : undefined;
  return only?.metadata.name ?? t('project.remove.many', { count: objects.length });
}

function Names({ title, names }: { title: string; names: string[] }) {
  const { t } = useTranslation();
  return (
    <>
      <Content component="p">{title}</Content>
      <List isPlain>
        {names.slice(0, SHOWN).map((each) => (
          <ListItem key={each}>
            <code>{each}</code>
          </ListItem>
        ))}
        {names.length > SHOWN && <ListItem>{t('project.more', { count: names.length - SHOWN })}</ListItem>}
      </List>
    </>
  );
}
