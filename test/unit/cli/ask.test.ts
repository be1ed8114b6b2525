import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { askNewSecret, askSecret, askText, askYesOrNo } from '../../../src/cli/input/ask.ts';
import { Interrupted } from '../../../src/cli/interruption.ts';
import type { Session } from '../../../src/cli/session.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { collectingSession } from './run-cli.ts';

interface Terminal {
  readonly session: Session;
  readonly shown: () => string;
  /** Types the keys once the question stands. */
  readonly type: (question: string, keys: string) => Promise<void>;
}

function terminal(columns: number): Terminal {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
  const { session, stderr } = collectingSession({ stdin: stdin as unknown as Session['stdin'] });
  Object.assign(session.stderr, { columns });
  const type = async (question: string, keys: string): Promise<void> => {
    while (!stderr().includes(question)) await turn();
    stdin.write(keys);
  };
  return { session, shown: stderr, type };
}

it('takes an answer, and shows no secret', async () => {
  const { session, shown, type } = terminal(80);
  const asked = askSecret(session, 'client secret');
  await type('client secret', 'hush\r');
  expect((await asked).reveal()).toBe('hush');
  expect(shown()).not.toContain('hush');
});

it('is SIGINT at Ctrl-C', async () => {
  const { session, type } = terminal(80);
  const asked = askText(session, 'client id');
  await Promise.all([
    expect(asked).rejects.toBeInstanceOf(Interrupted),
    type('client id', '\u0003'),
  ]);
});

it('says at Ctrl-D that there was no answer, instead of ending in silence', async () => {
  const { session, type } = terminal(80);
  const asked = askYesOrNo(session, 'Is that right?');
  await Promise.all([
    expect(asked).rejects.toThrow(new UsageError('the question got no answer')),
    type('Is that right?', '\u0004'),
  ]);
});

it('shows a question in one line at a terminal that says it has no columns', async () => {
  const { session, shown, type } = terminal(0);
  const asked = askText(session, 'client id');
  await type('client id', 'abc\r');
  expect(await asked).toBe('abc');
  expect(shown()).toContain('client id');
});

it('asks twice for a secret that is made up now, and refuses two that differ', async () => {
  const { session, type } = terminal(80);
  const asked = askNewSecret(session, 'passphrase');
  await Promise.all([
    expect(asked).rejects.toThrow('the two passphrases differ; nothing was made'),
    type('new passphrase', 'one\r').then(() => type('the same passphrase again', 'two\r')),
  ]);
});
