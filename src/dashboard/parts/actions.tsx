import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { ApiError, call } from '../data/api.ts';
import { ring } from '../data/follow.ts';
import { getState } from '../data/state.ts';
import type { ConsentLink, Explanation } from '../data/types.ts';
import { Confirm, type Question } from './confirm.tsx';
import { LinkSheet, type Asked } from './link-sheet.tsx';
import { tell } from './toasts.tsx';

interface Action extends Question {
  readonly key: 'refresh' | 'pause' | 'resume' | 'reconnect' | 'disconnect' | 'remove';
  /** Where it is ordered, unless under its key. */
  readonly path?: 'disconnect';
  /** What is said when it was done. */
  readonly done: string;
  readonly body?: object;
  /** Whether it is what leads on from where the connection stands. */
  readonly isAdvised?: boolean;
  /** Whether it makes a link for a person, which does it. */
  readonly isLink?: boolean;
}

/** What can be done with a connection, each after a question. */
export function Actions({
  status,
  onDone,
}: {
  readonly status: Explanation['status'];
  readonly onDone: () => void;
}): JSX.Element {
  const [asked, setAsked] = useState<Action>();
  const [busy, setBusy] = useState<string>();
  const [linked, setLinked] = useState<Asked>();
  const pressed = useRef<HTMLElement>(null);
  // Whoever uses the keyboard goes on where they were.
  useLayoutEffect(() => {
    const isOver = busy === undefined && asked === undefined && linked === undefined;
    if (isOver && document.activeElement === document.body) pressed.current?.focus();
  }, [busy, asked, linked]);
  const run = async (action: Action): Promise<void> => {
    setBusy(action.key);
    try {
      if (action.isLink === true) return setLinked(await askForLink(status.name));
      const { message, removed } = await call<{ message?: string; removed?: boolean }>(
        'POST',
        pathOf(status.name, action.path ?? action.key),
        { ...action.body },
      );
      tell(message === undefined ? action.done : `${status.name}: ${message}`, removed === false);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tell(error.message, true);
    } finally {
      setBusy(undefined);
      onDone();
      ring();
    }
  };
  const choose = (action: Action): void => {
    if (action.isLink === true && status.account === null) setLinked({ account: 'unknown' });
    else setAsked(action);
  };
  return (
    <div class="buttons" role="group" aria-label="Actions">
      {actionsFor(status).map((action) => (
        <button
          key={action.key}
          type="button"
          class={action.isFinal === true ? 'danger' : action.isAdvised === true ? 'primary' : ''}
          disabled={busy !== undefined}
          onClick={(event) => {
            pressed.current = event.currentTarget;
            choose(action);
          }}
        >
          {busy === action.key
            ? 'Working …'
            : action.key.charAt(0).toUpperCase() + action.key.slice(1)}
        </button>
      ))}
      {asked !== undefined && (
        <Confirm
          question={asked}
          onAnswer={(isYes) => {
            setAsked(undefined);
            if (isYes) void run(asked);
          }}
        />
      )}
      {linked !== undefined && (
        <LinkSheet name={status.name} asked={linked} onClose={() => setLinked(undefined)} />
      )}
    </div>
  );
}

function pathOf(name: string, action: string): string {
  return `/v1/connections/${encodeURIComponent(name)}/${action}`;
}

/** Why there is no link takes more time to read than what is told at the edge of the page. */
async function askForLink(name: string): Promise<Asked> {
  const after = getState().events[0]?.id ?? 0;
  try {
    return { link: await call<ConsentLink>('POST', pathOf(name, 'connect-link'), {}), after };
  } catch (error) {
    if (error instanceof ApiError) return { refusal: error.message };
    throw error;
  }
}

function actionsFor(status: Explanation['status']): readonly Action[] {
  const { state, beginning } = status;
  const isOver = state === 'disconnected';
  const isStuck = state === 'attention' || state === 'uncertain';
  const actions = [
    ...(isOver || state === 'paused' ? [] : [refresh(status, isStuck)]),
    ...(state === 'paused' || state === 'attention' ? [resume(status)] : []),
    ...(isOver || state === 'paused' ? [] : [pause(status)]),
    ...(beginning === 'client_credentials' ? [reconnect(status)] : []),
    ...(beginning === 'client_credentials' || isOver ? [] : [askAgain(status)]),
    ...(isOver ? [revokeAgain(status), remove(status)] : [disconnect(status)]),
  ];
  const advised = advisedFor(status);
  const first = actions.filter(({ key }) => key === advised);
  const others = actions.filter(({ key }) => key !== advised);
  return [...first.map((action) => ({ ...action, isAdvised: true })), ...others];
}

type Status = Explanation['status'];

/** What leads on: the eye finds it first. A well connection wants nothing. */
function advisedFor({ state, actor }: Status): Action['key'] | undefined {
  if (state === 'paused') return 'resume';
  if (state !== 'attention' && state !== 'uncertain') return undefined;
  return actor === 'owner' || state === 'uncertain' ? 'reconnect' : 'resume';
}

function refresh({ name }: Status, isStuck: boolean): Action {
  const text = isStuck
    ? 'One more request is made although the last one was refused or its outcome is not known. Where the server allows each refresh token once, that can end the grant.'
    : 'One request is made now, whatever is left of the token. The token at hand stays good until it ends.';
  return {
    key: 'refresh',
    title: `Refresh ${name} now?`,
    text,
    verb: isStuck ? 'Try once more' : 'Refresh',
    done: `${name} was refreshed.`,
    body: isStuck ? { anyway: true } : {},
  };
}

function pause({ name }: Status): Action {
  return {
    key: 'pause',
    title: `Pause ${name}?`,
    text: 'It is not refreshed until somebody resumes it. A living token is still served, then programs are refused.',
    verb: 'Pause',
    done: `${name} is paused.`,
  };
}

function resume({ name, state }: Status): Action {
  const text =
    state === 'paused'
      ? 'It is refreshed again when that is due.'
      : 'It is tried again. Do this when what was wrong has been repaired.';
  return {
    key: 'resume',
    title: `Resume ${name}?`,
    text,
    verb: 'Resume',
    done: `${name} is resumed.`,
  };
}

function reconnect({ name }: Status): Action {
  return {
    key: 'reconnect',
    title: `Connect ${name} again?`,
    text: 'The client proves itself anew. Name and history stay.',
    verb: 'Reconnect',
    done: `${name} is connected again.`,
  };
}

function askAgain({ name, account }: Status): Action {
  return {
    key: 'reconnect',
    title: `Ask for consent to ${name} again?`,
    text: `A link is made at which ${account ?? 'a person'} consents once more; another account is refused. Until then all stays as it is, and after that name, scopes and history stay.`,
    verb: 'Make a link',
    done: '',
    isLink: true,
  };
}

function disconnect({ name }: Status): Action {
  return {
    key: 'disconnect',
    title: `Disconnect ${name}?`,
    text: 'Its tokens are revoked where the server allows that, and forgotten here. Programs that use it stop working until somebody consents again.',
    verb: 'Disconnect',
    isFinal: true,
    done: `${name} is disconnected.`,
  };
}

/** The server could not be told when it was disconnected. */
function revokeAgain({ name }: Status): Action {
  return {
    key: 'disconnect',
    title: `Revoke the tokens of ${name} again?`,
    text: 'It is stopped already. The server is asked once more to revoke its refresh token; then it is removed here.',
    verb: 'Revoke',
    isFinal: true,
    done: `${name} is removed.`,
  };
}

/** The server has gone, or refuses its client for good. */
function remove({ name }: Status): Action {
  return {
    key: 'remove',
    path: 'disconnect',
    title: `Remove ${name} all the same?`,
    text: 'The server is asked once more; then it is removed here whatever that answers. A refresh token that was not revoked may stay valid there until it expires unused.',
    verb: 'Remove',
    isFinal: true,
    done: `${name} is removed.`,
    body: { anyway: true },
  };
}
