/**
 * What ks-account is asked and answers, written by schemas.py from its OpenAPI document.
 * Do not change it here: change the service, and run `python schemas.py`.
 */
/**
 * An action of a permission, with the policy rules that it stands for.
 */
export interface ActionRules {
  name: string;
  rules: {
    [k: string]: unknown;
  }[];
}
/**
 * What is to become of a user; what is empty stays as it is. The e-mail must always be sent.
 */
export interface ChangedUser {
  username?: string;
  email?: string;
  lang?: string;
  description?: string;
  password?: string;
  cluster_role?: string;
  current_password?: string;
}
/**
 * A profile with the permissions in the cluster.
 */
export interface Description {
  username: string;
  email: string;
  description: string;
  create_time: string;
  avatar_url: string;
  last_login_time: string;
  status: number;
  cluster_role: string;
  locked?: boolean;
  password_change_required?: boolean;
  lang?: string;
  groups?: string[];
  cluster_rules: SimpleRule[];
}
/**
 * A permission, and what of it is given.
 */
export interface SimpleRule {
  name: string;
  actions: string[];
}
/**
 * Whether a name or an e-mail is taken.
 */
export interface Existence {
  exist: boolean;
}
/**
 * A user to be made a member of a workspace.
 */
export interface Invitation {
  username?: string;
  workspace_role?: string;
}
/**
 * A new API token.
 */
export interface IssuedToken {
  id: string;
  name: string;
  verbs: string[];
  workspaces: string[];
  create_time: string;
  expire_time: string;
  last_used_time: string | null;
  token: string;
}
/**
 * When somebody signed in (RFC 3339), and from where.
 */
export interface LoginRecord {
  login_time: string;
  login_ip: string;
}
/**
 * A user with a role in a workspace.
 */
export interface Member {
  username: string;
  email: string;
  description: string;
  create_time: string;
  avatar_url: string;
  last_login_time: string;
  status: number;
  cluster_role: string;
  locked?: boolean;
  password_change_required?: boolean;
  lang?: string;
  groups?: string[];
  workspace_role: string;
}
/**
 * A user of a namespace.
 */
export interface NamespaceUser {
  username: string;
  email: string;
  description: string;
  create_time: string;
  avatar_url: string;
  last_login_time: string;
  status: number;
  cluster_role: string;
  locked?: boolean;
  password_change_required?: boolean;
  lang?: string;
  groups?: string[];
  role: string;
  role_binding: string;
  role_bind_time: string;
}
/**
 * An API token to be made. `verbs` and `workspaces` are what it may be used for; `*` stands for all.
 */
export interface NewToken {
  name?: string;
  verbs?: string[];
  workspaces?: string[];
  lifetime?: string;
}
/**
 * A user to be made.
 */
export interface NewUser {
  username?: string;
  email?: string;
  lang?: string;
  description?: string;
  password?: string;
  cluster_role?: string;
}
/**
 * Some of a list, and how many there are in all. Items may be JSON already, as bytes.
 */
export interface Page_Member_ {
  items: Member[];
  total_count: number;
}
/**
 * Some of a list, and how many there are in all. Items may be JSON already, as bytes.
 */
export interface Page_Profile_ {
  items: Profile[];
  total_count: number;
}
/**
 * `lang` and `groups` are left out where there are none, as in v2.1.1; `locked` and
 * `password_change_required`, which v2.1.1 did not know, where they are not true.
 */
export interface Profile {
  username: string;
  email: string;
  description: string;
  create_time: string;
  avatar_url: string;
  last_login_time: string;
  status: number;
  cluster_role: string;
  locked?: boolean;
  password_change_required?: boolean;
  lang?: string;
  groups?: string[];
}
/**
 * Some of a list, and how many there are in all. Items may be JSON already, as bytes.
 */
export interface Page_TokenRecord_ {
  items: TokenRecord[];
  total_count: number;
}
/**
 * What is kept of an API token. Times are of RFC 3339; the last is None until the token is used.
 */
export interface TokenRecord {
  id: string;
  name: string;
  verbs: string[];
  workspaces: string[];
  create_time: string;
  expire_time: string;
  last_used_time: string | null;
}
/**
 * Some of a list, and how many there are in all. Items may be JSON already, as bytes.
 */
export interface PageDictStr__Any__ {
  items: {
    [k: string]: unknown;
  }[];
  total_count: number;
}
/**
 * Two tokens (RFC 6749, section 5.1), the first of which is good for `expires_in` seconds.
 */
export interface Pair {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
  password_change_required?: boolean;
}
/**
 * A permission as `rulesmapping` shows it.
 */
export interface PermissionRules {
  name: string;
  actions: ActionRules[];
}
/**
 * Where one may sign in; `login_url` is a path of this site.
 */
export interface Provider {
  name: string;
  title: string;
  login_url: string;
}
/**
 * The answer to a TokenReview.
 */
export interface ReviewedToken {
  apiVersion: string;
  kind: string;
  status: TokenReviewStatus;
}
/**
 * What became of a TokenReview; `user` is there when the token is in force.
 */
export interface TokenReviewStatus {
  authenticated: boolean;
  user?: ReviewedUser;
}
/**
 * Whose a token is.
 */
export interface ReviewedUser {
  username: string;
  uid: string;
  groups: string[];
}
/**
 * A user with a role of a namespace.
 */
export interface RoleUser {
  username: string;
  email: string;
  description: string;
  create_time: string;
  avatar_url: string;
  last_login_time: string;
  status: number;
  cluster_role: string;
  locked?: boolean;
  password_change_required?: boolean;
  lang?: string;
  groups?: string[];
  role: string;
}
/**
 * ClusterRoles that somebody has in the cluster, and roles in namespaces.
 */
export interface RolesOfUser {
  clusterRole: {
    [k: string]: unknown;
  }[];
  roles: {
    [k: string]: unknown;
  }[];
}
/**
 * A session that was begun; the second key is only there when it is true.
 */
export interface SessionToken {
  access_token: string;
  password_change_required?: boolean;
}
/**
 * Where a user's kubectl runs.
 */
export interface TerminalPod {
  namespace: string;
  pod: string;
  container: string;
}
/**
 * A TokenReview of authentication.k8s.io, as webhook token authentication sends it.
 */
export interface TokenReview {
  apiVersion?: string;
  kind?: string;
  spec?: TokenReviewSpec | null;
}
/**
 * The token in question.
 */
export interface TokenReviewSpec {
  token?: string;
}
/**
 */
export interface Error {
  /**
   * What is wrong, for people.
   */
  message: string;
  /**
   * The same in a word, for programs.
   */
  reason?: string;
  /**
   * Under which the service's log tells more.
   */
  requestId?: string;
}
