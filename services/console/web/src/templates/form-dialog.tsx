/** A short form over the page that it is about; what the server says is wrong stays beside what was typed. */
import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { problemText } from '@/app/errors';

interface FormDialogProps {
  title: string;
  about?: string;
  submit: string;
  isValid: boolean;
  run: () => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({ title, about, submit, isValid, run, onClose, children }: FormDialogProps) {
  const { t } = useTranslation();
  const [error, setError] = useState('');
  const [isWorking, setWorking] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!isValid || isWorking) return;
    setWorking(true);
    setError('');
    try {
      await run();
      onClose();
    } catch (problem) {
      setError(problemText(problem));
      setWorking(false);
    }
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="form-title">
      <ModalHeader title={title} description={about} labelId="form-title" />
      <ModalBody>
        <Form id="dialog-form" onSubmit={send}>
          {error && <Alert isInline variant="danger" title={error} />}
          {children}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="dialog-form" isLoading={isWorking} isDisabled={!isValid || isWorking}>
          {submit}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
