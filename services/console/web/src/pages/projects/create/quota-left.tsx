/** What the project may still use, beside the numbers that would use it. */
import { useTranslation } from 'react-i18next';
import { useProject } from '../place';
import { useQuotas } from '../quotas/use-quotas';

const TOLD = [
  'requests.cpu',
  'limits.cpu',
  'requests.memory',
  'limits.memory',
  'cpu',
  'memory',
  'pods',
  'count/pods',
];

export function QuotaLeft() {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const { data } = useQuotas(namespace);
  const left = Object.entries(data?.data.left ?? {}).filter(([name]) => TOLD.includes(name));
  if (left.length === 0) return null;
  return (
    <p className="ks-subtle">
      {t('project.quotas.leftHere')} {left.map(([name, amount]) => `${name} ${amount}`).join(' · ')}
    </p>
  );
}
