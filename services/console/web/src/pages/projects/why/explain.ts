/** May one do this, and why not: asked of the gateway, which knows every binding of the cluster. */
import { queryOptions, useQueries } from '@tanstack/react-query';
import { post } from '@/api/client';

const EXPLAIN = '/kapis/authorization.kubesphere.io/v1/explain';
const KEPT_MS = 30_000;

export interface Question {
  verb: string;
  /** Empty for Kubernetes' own first group. */
  group: string;
  resource: string;
  namespace: string;
  subresource?: string;
  name?: string;
}

export interface Explanation {
  user: string;
  allowed: boolean | null;
  because: string;
  decidedBy: string;
  grant: { binding: Named; role: Named; subject: { kind: string; name: string } } | null;
  missing: { verbs: string[]; apiGroups?: string[]; resources?: string[]; namespace?: string } | null;
}

interface Named {
  kind: string;
  name: string;
  namespace?: string;
}

export function explanationQuery(question: Question) {
  return queryOptions({
    queryKey: ['explain', question],
    queryFn: () => post<Explanation>(EXPLAIN, { resourceAttributes: question }),
    staleTime: KEPT_MS,
  });
}

/** The explanation of each question, as far as it is there. */
export function useExplanations(questions: Question[]): (Explanation | undefined)[] {
  return useQueries({ queries: questions.map(explanationQuery) }).map((each) => each.data);
}
