/** What who is signed in may do with the objects of a kind, and what of it is not allowed. */
import { useTranslation } from 'react-i18next';
import { useProjectRights } from '@/app/permissions';
import type { ProjectKind } from './kind';
import { useProject } from './place';
import { type Question, useExplanations } from './why/explain';
import type { Denied } from './why/refusal';

export type Doing = 'create' | 'edit' | 'delete' | 'scale' | 'terminal';

const VERBS: Record<Exclude<Doing, 'terminal' | 'scale'>, string> = {
  create: 'create',
  edit: 'patch',
  delete: 'delete',
};

export interface KindRights {
  may: (doing: Doing) => boolean;
  /** What these pages offer and who is signed in may not do; empty until it is known. */
  denied: Denied[];
}

/** Kinds that the table of permissions has no name for are asked about one by one. */
const UNNAMED = new Set(['serviceaccounts']);

export function questionOf(kind: ProjectKind, doing: Doing, namespace: string): Question {
  const group = kind.ref.apiVersion.includes('/') ? (kind.ref.apiVersion.split('/')[0] ?? '') : '';
  const of = { group, resource: kind.ref.plural, namespace };
  if (doing === 'terminal') return { ...of, verb: 'create', subresource: 'exec' };
  if (doing === 'scale') return { ...of, verb: 'patch', subresource: 'scale' };
  return { ...of, verb: VERBS[doing] };
}

export function useKindRights(kind: ProjectKind): KindRights {
  const { t } = useTranslation();
  const { namespace } = useProject();
  const rights = useProjectRights(namespace);
  const offered = offeredFor(kind);
  const isUnnamed = UNNAMED.has(kind.permission);
  const explanations = useExplanations(
    isUnnamed ? offered.map((each) => questionOf(kind, each, namespace)) : [],
  );
  const may = (doing: Doing) => {
    if (isUnnamed) return explanations[offered.indexOf(doing)]?.allowed === true;
    if (doing === 'scale') return rights.may(kind.permission, 'scale') || rights.may(kind.permission, 'edit');
    return rights.may(kind.permission, doing);
  };
  const isKnown = isUnnamed ? explanations.every(Boolean) : !rights.isLoading;
  const denied = isKnown
    ? offered
        .filter((doing) => !may(doing))
        .map((doing) => ({
          label: t(`project.doing.${doing}`),
          question: questionOf(kind, doing, namespace),
        }))
    : [];
  return { may, denied };
}

function offeredFor(kind: ProjectKind): Doing[] {
  if (kind.name === 'pods') return ['terminal', 'delete'];
  return ['create', 'edit', 'delete'];
}
