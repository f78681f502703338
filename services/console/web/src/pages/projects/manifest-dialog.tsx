/** One small object as YAML in a dialog, applied as it stands there. */
import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { applyObject } from '@/api/cluster';
import { notify } from '@/app/notices';
import { PageSkeleton } from '@/app/shell';
import { manifestOf, readManifest } from '@/templates/yaml/document';
import { useProject } from './place';

const YamlEditor = lazy(() => import('@/templates/yaml/editor').then((it) => ({ default: it.YamlEditor })));

export function ManifestDialog({
  title,
  object,
  onClose,
}: {
  title: string;
  object: object;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const [text, setText] = useState(() => manifestOf(object));
  const [error, setError] = useState('');
  const [isWorking, setWorking] = useState(false);
  const keep = async () => {
    setWorking(true);
    setError('');
    try {
      const { objects, problems } = readManifest(text);
      if (problems[0]) throw new Error(problems[0].message);
      for (const each of objects) {
        const saved = await applyObject(each, namespace);
        notify('success', t('notices.saved', { name: saved.metadata.name }));
      }
      onClose();
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
      setWorking(false);
    }
  };
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="manifest-title">
      <ModalHeader title={title} labelId="manifest-title" />
      <ModalBody>
        {error && (
          <Alert isInline variant="danger" title={t('project.yaml.refused')}>
            {error}
          </Alert>
        )}
        <Suspense fallback={<PageSkeleton />}>
          <YamlEditor value={text} onChange={setText} label={title} />
        </Suspense>
      </ModalBody>
      <ModalFooter>
        <Button onClick={() => void keep()} isLoading={isWorking} isDisabled={isWorking}>
          {t('actions.save')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
