/** Names and amounts as Kubernetes takes them. Pure; each gives a key of `project.form.…`, or nothing. */
import { isName } from '../names';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const QUANTITY = /^\d+(\.\d+)?(m|[kMGTPE]|[KMGTPE]i)?$/;

/** A name of RFC 1123: services and workloads must be called like a part of a host name. */
export function nameProblem(name: string): 'nameMissing' | 'nameWrong' | '' {
  if (!name) return 'nameMissing';
  return isName(name) ? '' : 'nameWrong';
}

export function longNameProblem(name: string): 'nameMissing' | 'nameWrong' | '' {
  if (!name) return 'nameMissing';
  return SUBDOMAIN.test(name) ? '' : 'nameWrong';
}

/** `250m`, `1.5`, `128Mi`. */
export function quantityProblem(text: string): 'quantityWrong' | '' {
  return text === '' || QUANTITY.test(text) ? '' : 'quantityWrong';
}
