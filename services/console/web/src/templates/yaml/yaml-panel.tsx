/**
 * An object as YAML. Saving it tries the change without effect first, and shows what the server would make of it,
 * its defaults included, before anything happens.
 */
import {
  Alert,
  AlertActionLink,
  Button,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Spinner,
} from '@patternfly/react-core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { replaceObject } from '@/api/cluster';
import { ApiError } from '@/api/errors';
import type { KubeObject } from '@/api/objects';
import { notify } from '@/app/notices';
import { save } from '../export';
import { DiffView } from './diff-view';
import { readManifest } from './document';
import { YamlEditor } from './editor';
import { comparable, editable, masked, toSend } from './shown';

interface YamlPanelProps {
  object: KubeObject;
  path: string;
  mayEdit: boolean;
  onSaved: (saved: KubeObject) => void;
}

interface Edit {
  /** The object that the text was made from. */
  of: KubeObject;
  text: string;
}

export function YamlPanel({ object, path, mayEdit, onSaved }: YamlPanelProps) {
  const { t } = useTranslation();
  const [edit, setEdit] = useState<Edit | null>(null);
  const [isRevealed, setRevealed] = useState(object.kind !== 'Secret');
  const [error, setError] = useState<unknown>(null);
  const [trial, setTrial] = useState<{ wanted: KubeObject; result: KubeObject } | null>(null);
  const [isWorking, setWorking] = useState(false);
  const begin = () => {
    setError(null);
    setRevealed(true);
    setEdit({ of: object, text: editable(object) });
  };
  const attempt = async (work: () => Promise<void>) => {
    setWorking(true);
    setError(null);
    try {
      await work();
    } catch (problem) {
      setTrial(null);
      setError(problem);
    }
    setWorking(false);
  };
  // Where only the status went on, the version of now will do: nothing that somebody wrote is overwritten.
  const base = (of: KubeObject) => (saysOtherwise(of, object) ? of : object);
  const review = () =>
    attempt(async () => {
      if (!edit) return;
      const wanted = toSend(parsed(edit.text, t('project.yaml.oneObject')), base(edit.of));
      setTrial({ wanted, result: await replaceObject(path, wanted, true) });
    });
  const confirm = () =>
    attempt(async () => {
      if (!trial || !edit) return;
      const saved = await replaceObject(path, toSend(trial.wanted, base(edit.of)));
      notify('success', t('notices.saved', { name: saved.metadata.name }));
      setTrial(null);
      setEdit(null);
      onSaved(saved);
    });
  const isOutdated = edit !== null && edit.of.metadata.resourceVersion !== object.metadata.resourceVersion;
  const shown = editable(isRevealed ? object : masked(object));
  return (
    <div className="ks-yaml-panel">
      <div className="ks-yaml-bar">
        {edit ? (
          <>
            <Button
              onClick={() => void review()}
              isLoading={isWorking}
              isDisabled={isWorking || edit.text === editable(edit.of)}
            >
              {t('project.yaml.review')}
            </Button>
            <Button variant="link" onClick={() => setEdit(null)}>
              {t('actions.cancel')}
            </Button>
          </>
        ) : (
          <>
            {mayEdit && (
              <Button variant="secondary" onClick={begin}>
                {t('actions.edit')}
              </Button>
            )}
            {object.kind === 'Secret' && (
              <Button variant="link" onClick={() => setRevealed(!isRevealed)}>
                {t(isRevealed ? 'project.data.hide' : 'project.data.reveal')}
              </Button>
            )}
            <Button
              variant="link"
              onClick={() => save(`${object.metadata.name}.yaml`, shown, 'application/yaml')}
            >
              {t('actions.download')}
            </Button>
          </>
        )}
      </div>
      {error !== null && (
        <Alert
          isInline
          variant="danger"
          title={t(
            error instanceof ApiError && error.status === 409
              ? 'project.yaml.changedMeanwhile'
              : 'project.yaml.refused',
          )}
          actionLinks={
            error instanceof ApiError && error.status === 409 ? (
              <AlertActionLink onClick={begin}>{t('project.yaml.startOver')}</AlertActionLink>
            ) : undefined
          }
        >
          {error instanceof Error ? error.message : String(error)}
        </Alert>
      )}
      {isOutdated && error === null && saysOtherwise(edit.of, object) && (
        <Alert isInline isPlain variant="info" title={t('project.yaml.outdated')} />
      )}
      <YamlEditor
        key={edit ? 'edit' : 'show'}
        label={t('project.yaml.of', { name: object.metadata.name })}
        value={edit?.text ?? shown}
        onChange={edit ? (text) => setEdit({ ...edit, text }) : undefined}
      />
      {trial && edit && (
        <Modal isOpen variant="large" onClose={() => setTrial(null)} aria-labelledby="review-title">
          <ModalHeader
            title={t('project.yaml.reviewTitle', { name: object.metadata.name })}
            description={t('project.yaml.reviewBody')}
            labelId="review-title"
          />
          <ModalBody>
            {comparable(edit.of) === comparable(trial.result) ? (
              <Alert isInline variant="info" title={t('project.yaml.noChange')} />
            ) : (
              <DiffView
                before={comparable(edit.of)}
                after={comparable(trial.result)}
                label={t('project.yaml.difference')}
              />
            )}
          </ModalBody>
          <ModalFooter>
            <Button
              onClick={() => void confirm()}
              isDisabled={isWorking}
              icon={isWorking ? <Spinner size="md" /> : undefined}
            >
              {t('actions.save')}
            </Button>
            <Button variant="link" onClick={() => setTrial(null)}>
              {t('project.yaml.goOn')}
            </Button>
          </ModalFooter>
        </Modal>
      )}
    </div>
  );
}

function parsed(text: string, otherwise: string): KubeObject {
  const { objects, problems } = readManifest(text);
  if (problems[0]) throw new Error(problems[0].message);
  if (objects.length !== 1 || !objects[0]) throw new Error(otherwise);
  return objects[0];
}

/** Whether more than the status has changed. */
function saysOtherwise(before: KubeObject, after: KubeObject): boolean {
  return comparable(before) !== comparable(after);
}
