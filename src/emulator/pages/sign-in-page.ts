import type { Answer } from '../http/answer.ts';
import type { DirectoryUser } from '../state/users.ts';
import { markup, page, type Markup } from './page.ts';

/** What the sign-in page shows. */
export interface SignInPage {
  /** Where the form is posted. */
  readonly action: string;
  /** Hidden field that names the request. */
  readonly hidden: { readonly name: string; readonly value: string };
  readonly clientId: string;
  /** Scopes the person is asked to agree to. */
  readonly scopes: readonly string[];
  readonly users: readonly DirectoryUser[];
  /** Who is chosen at first; the first user by default. */
  readonly chosen?: string | undefined;
  /** What went wrong with the last attempt. */
  readonly problem?: string;
}

/** The page at which a person signs in and agrees, or refuses. */
export function signInPage(facts: SignInPage): Answer {
  const chosen = facts.users.find((user) => user.username === facts.chosen) ?? facts.users[0];
  return page(
    facts.problem === undefined ? 200 : 401,
    'Sign in',
    markup`
<p><strong>${facts.clientId}</strong> asks for access.</p>
${problemNote(facts.problem)}
<form method="post" action="${facts.action}">
<input type="hidden" name="${facts.hidden.name}" value="${facts.hidden.value}">
<fieldset><legend>Account</legend>
${facts.users.map((user) => choice(user, user === chosen))}
</fieldset>
<label>Password
<input type="password" name="password" value="${chosen?.password ?? ''}" autocomplete="off" required></label>
<fieldset><legend>Allows</legend>
<ul>${facts.scopes.map((scope) => markup`<li><code>${scope}</code></li>`)}</ul>
</fieldset>
<button type="submit" name="decision" value="accept">Accept</button>
<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>
</form>`,
  );
}

function choice(user: DirectoryUser, checked: boolean): Markup {
  const mark = checked ? markup` checked` : markup``;
  return markup`<label><input type="radio" name="username" value="${user.username}"${mark}> ${user.name} <span class="note">${user.username}</span></label>
`;
}

/** A problem, announced to screen readers. */
export function problemNote(problem: string | undefined): Markup {
  if (problem === undefined) return markup``;
  return markup`<p class="error" role="alert">${problem}</p>`;
}
