/** Where the services are, and how a page of a list is asked for. */
export const IAM = '/kapis/iam.kubesphere.io/v1alpha2';
export const TENANT = '/kapis/tenant.kubesphere.io/v1alpha2';
export const RESOURCES = '/kapis/resources.kubesphere.io/v1alpha2';
export const OPERATIONS = '/kapis/operations.kubesphere.io/v1alpha2';
export const TERMINAL = '/kapis/terminal.kubesphere.io/v1alpha2';
export const WORKSPACES = '/apis/tenant.kubesphere.io/v1alpha1/workspaces';

/** What is asked of a list. `conditions` are those of the services: `name~` a part, `name=` the whole. */
export interface ListQuery {
  conditions?: Record<string, string>;
  orderBy?: string;
  reverse?: boolean;
  /** From 1. */
  page?: number;
  limit?: number;
}

/** The query string of a page, without `?`. An empty condition does not count. */
export function listParameters(query: ListQuery): string {
  const parameters = new URLSearchParams();
  const conditions = Object.entries(query.conditions ?? {}).filter(([, value]) => value !== '');
  if (conditions.length > 0) {
    parameters.set('conditions', conditions.map(([key, value]) => condition(key, value)).join(','));
  }
  if (query.orderBy) parameters.set('orderBy', query.orderBy);
  if (query.reverse) parameters.set('reverse', 'true');
  if (query.limit) parameters.set('paging', `limit=${query.limit},page=${query.page ?? 1}`);
  return parameters.toString();
}

/** `key` names the condition with its operator, `name~`; without one it is `=`. */
function condition(key: string, value: string): string {
  const plain = value.replaceAll(',', ' ').trim();
  return /[~=]$/.test(key) ? `${key}${plain}` : `${key}=${plain}`;
}

/** The path of a list of `resources`, of a namespace or of the whole cluster. */
export function resourcesPath(resource: string, namespace?: string): string {
  return namespace
    ? `${RESOURCES}/namespaces/${encodeURIComponent(namespace)}/${resource}`
    : `${RESOURCES}/${resource}`;
}
