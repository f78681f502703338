/** The boxes that choose rows: they answer at once, while the rows themselves are drawn when there is time. */
import { Checkbox } from '@patternfly/react-core';
import { createContext, type ReactNode, useContext } from 'react';
import { useTranslation } from 'react-i18next';

export interface Choosing<T> {
  /** The chosen items by the keys of their rows. */
  chosen: ReadonlyMap<string, T>;
  onChoose: (chosen: ReadonlyMap<string, T>) => void;
}

const ChoosingContext = createContext<Choosing<unknown> | null>(null);

/** Around a table; without `choosing` its boxes are not shown. */
export function RowChoice<T>({ choosing, children }: { choosing?: Choosing<T>; children: ReactNode }) {
  return <ChoosingContext value={(choosing ?? null) as Choosing<unknown> | null}>{children}</ChoosingContext>;
}

function useChoice(items: ReadonlyMap<string, unknown>) {
  const choosing = useContext(ChoosingContext);
  if (!choosing) return null;
  const { chosen, onChoose } = choosing;
  const keys = [...items.keys()];
  return {
    isChosen: keys.length > 0 && keys.every((key) => chosen.has(key)),
    choose: (isChosen: boolean) => {
      const next = new Map(chosen);
      for (const [key, item] of items) isChosen ? next.set(key, item) : next.delete(key);
      onChoose(next);
    },
  };
}

export function ChooseAll({ items }: { items: ReadonlyMap<string, unknown> }) {
  const { t } = useTranslation();
  const choice = useChoice(items);
  if (!choice) return null;
  return (
    <Checkbox
      id="choose-all"
      aria-label={t('list.selectAll')}
      isChecked={choice.isChosen}
      onChange={(_, isChosen) => choice.choose(isChosen)}
    />
  );
}

export function ChooseRow({ rowKey, item, name }: { rowKey: string; item: unknown; name: string }) {
  const { t } = useTranslation();
  const choice = useChoice(new Map([[rowKey, item]]));
  if (!choice) return null;
  return (
    <Checkbox
      id={`choose-${rowKey}`}
      aria-label={t('list.selectRow', { name })}
      isChecked={choice.isChosen}
      onChange={(_, isChosen) => choice.choose(isChosen)}
    />
  );
}
