import type { ConnectionStatus } from '../../keeper-api.ts';
import type { Outcome } from './outcome.ts';
import type { Page } from './page.ts';

/*
 * What a person is told. Each page says what happened, whether anything changed, and what to do.
 */

const ANOTHER = 'Ask whoever sent you the link for another one.';
const UNCHANGED = 'Nothing was changed.';

/** The link itself. */
export function askPage(name: string, status: ConnectionStatus | undefined, action: string): Page {
  const account = status?.account;
  return {
    status: 200,
    title: 'Your consent is asked for',
    text: [
      'evergrant keeps programs connected to services in your name. To do so it needs you to sign in and agree, once.',
      'The button leads you to the sign-in of the service. evergrant never sees your password.',
    ],
    facts: [
      ['Connection', name],
      ...(account === undefined ? [] : [['Sign in as', account] as const]),
    ],
    button: { label: 'Continue to sign in', action },
  };
}

/** On the way to the authorization server. */
export function leavingPage(url: string): Page {
  const { host } = new URL(url);
  return {
    status: 200,
    title: 'On to the sign-in',
    text: [`You are being sent to ${host}.`],
    next: { label: `Continue to ${host}`, url },
  };
}

/** A link with which nothing can begin. */
export function gonePage(): Page {
  return {
    status: 410,
    title: 'This link is not good any more',
    text: [
      'It was used, its time is over, or evergrant was started again since it was made.',
      `${UNCHANGED} ${ANOTHER}`,
    ],
  };
}

/** A link that another browser took. */
export function takenPage(): Page {
  return {
    status: 409,
    title: 'This link is in use in another browser',
    text: [
      'Each link is good for one browser. If that browser is yours, go on there.',
      `If it is not, somebody else has used your link: tell whoever sent it. ${ANOTHER}`,
    ],
  };
}

/** The browser holds nothing. */
export function cookiePage(action: string): Page {
  return {
    status: 400,
    title: 'Your browser keeps no cookie of this page',
    text: [
      'evergrant needs one to know that the browser which comes back from the sign-in is yours. Allow cookies for this address.',
    ],
    button: { label: 'Try again', action },
  };
}

/** Something came back that nobody waits for. */
export function foreignPage(): Page {
  return {
    status: 400,
    title: 'This sign-in is not known here',
    text: [
      'It was begun in another browser, was begun anew since, or evergrant was started again meanwhile.',
      `${UNCHANGED} Open your link again, in the browser in which you want to sign in. If it is not good any more, ask for another one.`,
    ],
  };
}

/** A form that was not ours. */
export function strangePage(): Page {
  return {
    status: 403,
    title: 'This did not come from our page',
    text: [`${UNCHANGED} Open your link, and use the button there.`],
  };
}

/** Something is wrong here. */
export function troublePage(): Page {
  return {
    status: 503,
    title: 'This does not work now',
    text: [
      'evergrant cannot show this page; its log tells why.',
      'Try again later, and if it goes on tell whoever sent you the link.',
    ],
  };
}

/** Nothing came back yet. */
export function waitingPage(action: string): Page {
  return {
    status: 200,
    title: 'The sign-in is not finished',
    text: ['Go on where you signed in, or begin anew.'],
    button: { label: 'Begin anew', action },
  };
}

/**
 * What the sign-in came to.
 *
 * @param action - where it can be begun again; undefined when it cannot.
 */
export function outcomePage(name: string, outcome: Outcome, action: string | undefined): Page {
  const page = describe(name, outcome);
  if (outcome.kind === 'connected') return page;
  if (action === undefined) return { ...page, text: [...page.text, ANOTHER] };
  return { ...page, button: { label: 'Try again', action } };
}

function describe(name: string, outcome: Outcome): Page {
  switch (outcome.kind) {
    case 'connected':
      return {
        status: 200,
        title: 'Thank you, it is connected',
        text: ['There is nothing more to do. You may close this window.'],
        facts: [['Connection', name], ...fact('Signed in as', outcome.account)],
      };
    case 'refused':
      return {
        status: 403,
        title: 'You did not agree',
        text: [
          `${UNCHANGED} If that was a mistake, try again. If the service did not let you agree, an administrator has to.`,
        ],
        facts: [
          ['Connection', name],
          ['What the service said', outcome.message],
        ],
      };
    case 'wrong-account':
      return wrongAccount(name, outcome);
    case 'late':
      return {
        status: 410,
        title: 'The sign-in took too long',
        text: [`It has to be finished within 10 minutes. ${UNCHANGED}`],
        facts: [['Connection', name]],
      };
    case 'stopped':
      return {
        status: 503,
        title: 'The sign-in was stopped',
        text: [`It was begun anew elsewhere, or evergrant is ending. ${UNCHANGED}`],
        facts: [['Connection', name]],
      };
    case 'failed':
      return {
        status: 502,
        title: 'The sign-in failed',
        text: [
          `${UNCHANGED} Try again; if it fails again, tell whoever sent you the link what it says here.`,
        ],
        facts: [
          ['Connection', name],
          ['What went wrong', outcome.message],
        ],
      };
  }
}

function wrongAccount(
  name: string,
  { now, before }: Extract<Outcome, { readonly kind: 'wrong-account' }>,
): Page {
  const isKnown = now !== undefined && before !== undefined;
  return {
    status: 409,
    title: isKnown ? 'This is another account' : 'It is not known whose account this is',
    text: isKnown
      ? [
          `${UNCHANGED} The connection belongs to another account than the one that signed in.`,
          'Sign out at the service, or choose to use another account there, and try again. If the account is to change, ask for a link that allows it.',
        ]
      : [
          `${UNCHANGED} The service did not tell which account signed in, or the connection does not know whose it is.`,
          'Ask whoever sent you the link for one that takes any account.',
        ],
    facts: [['Connection', name], ...fact('Signed in as', now), ...fact('It belongs to', before)],
  };
}

function fact(name: string, value: string | undefined): (readonly [string, string])[] {
  return value === undefined ? [] : [[name, value]];
}
