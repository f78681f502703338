/** How much of each quota is used; what is nearly used up stands out. */
import { Progress, ProgressMeasureLocation, Stack, StackItem } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { shareOf } from './quantity';
import type { Quotas } from './use-quotas';

const NEARLY = 0.8;

export function UsageBars({ quotas }: { quotas: Quotas }) {
  const { t } = useTranslation();
  const { hard = {}, used = {} } = quotas.data;
  const rows = Object.entries(hard).map(([name, limit]) => ({
    name,
    text: t('project.quotas.of', { used: used[name] ?? '0', hard: limit }),
    share: shareOf(used[name] ?? '0', limit),
  }));
  if (rows.length === 0) return <p className="ks-subtle">{t('project.quotas.none')}</p>;
  rows.sort((one, other) => other.share - one.share);
  return (
    <Stack hasGutter>
      {rows.map(({ name, text, share }) => (
        <StackItem key={name}>
          <Progress
            id={`quota-${quotas.namespace}-${name.replaceAll(/[^a-z0-9]/gi, '-')}`}
            title={name}
            value={Math.min(100, Math.round(share * 100))}
            label={text}
            measureLocation={ProgressMeasureLocation.top}
            variant={share >= 1 ? 'danger' : share >= NEARLY ? 'warning' : undefined}
            size="sm"
          />
        </StackItem>
      ))}
    </Stack>
  );
}
