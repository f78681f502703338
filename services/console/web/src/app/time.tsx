/** Moments, as one reads them: how long ago, with the exact time on hover. */
import { Tooltip } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { ago } from './ago';
import { useClock } from './clock';

export { ago };

export function Age({ of }: { of: string | undefined }) {
  const { i18n } = useTranslation();
  useClock();
  if (!of) return <span>–</span>;
  const exact = new Date(of).toLocaleString(i18n.language);
  return (
    <Tooltip content={exact}>
      <time dateTime={of} className="ks-age">
        {ago(of, i18n.language)}
      </time>
    </Tooltip>
  );
}
