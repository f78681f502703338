/** Deleting is deliberate: what goes along is shown, and where data is lost the name is typed. */
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
  TextInput,
} from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { notify } from '@/app/notices';
import { useSubmission } from './submission';

interface DeleteDialogProps {
  name: string;
  /** What is lost with it, in words. */
  goesAlong?: string[];
  /** Has the name typed first. */
  mustType?: boolean;
  run: () => Promise<unknown>;
  onClose: () => void;
}

export function DeleteDialog({ name, goesAlong = [], mustType, run, onClose }: DeleteDialogProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const { error, isWorking, send } = useSubmission(run, () => {
    notify('success', t('notices.deleted', { name }));
    onClose();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="delete-title">
      <ModalHeader title={t('remove.title', { name })} titleIconVariant="warning" labelId="delete-title" />
      <ModalBody>
        <Form id="delete" onSubmit={submit}>
          {error && <Alert isInline variant="danger" title={error} />}
          {goesAlong.length > 0 && (
            <Content>
              <p>{t('remove.goesAlong')}</p>
              <List>
                {goesAlong.map((each) => (
                  <ListItem key={each}>{each}</ListItem>
                ))}
              </List>
            </Content>
          )}
          {mustType && (
            <FormGroup label={t('remove.typeName', { name })} fieldId="delete-name">
              <TextInput id="delete-name" value={typed} onChange={(_, value) => setTyped(value)} autoFocus />
            </FormGroup>
          )}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form="delete"
          variant="danger"
          isLoading={isWorking}
          isDisabled={isWorking || (mustType && typed !== name)}
        >
          {t('remove.submit')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
