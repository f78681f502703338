/** How an object is doing, in colour and words. */
import { Label } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import type { Status, Tone } from './status';

const LOOK: Record<Tone, { status?: 'success' | 'warning' | 'danger' | 'info'; color?: 'grey' }> = {
  success: { status: 'success' },
  warning: { status: 'warning' },
  danger: { status: 'danger' },
  info: { status: 'info' },
  neutral: { color: 'grey' },
};

export function StatusLabel({ status, withReason = false }: { status: Status; withReason?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className="ks-status">
      <Label {...LOOK[status.tone]} isCompact>
        {t(`project.status.${status.key}`)}
      </Label>
      {withReason && status.reason && <span className="ks-subtle">{status.reason}</span>}
    </span>
  );
}
