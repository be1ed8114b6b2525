import { describe, expect, it } from 'vitest';
import { fakeKeeper, status } from './fake-keeper.ts';
import { runCli } from './run-cli.ts';

/** Clears a screen, in seven bits and in eight, forges a line, and turns the writing round. */
const HOSTILE = 'a\u001b[2J\u009b2Jb\r\nforged: line\u202ec';

const keeper = (): ReturnType<typeof fakeKeeper> =>
  fakeKeeper([status({ account: HOSTILE, tokenScopes: [HOSTILE], grantedScopes: [HOSTILE] })]);

describe('what a server says of an account', () => {
  it.each([['show', 'perspio'], ['explain', 'perspio'], ['list']])(
    'is shown and not obeyed by a terminal: %s',
    async (...argv) => {
      const { code, stdout } = await runCli(argv, { keeper: keeper() });
      expect(code).toBe(0);
      expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e|^forged/mu);
    },
  );

  it('is the same in JSON, escaped', async () => {
    const { stdout } = await runCli(['show', 'perspio', '--json'], { keeper: keeper() });
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect((JSON.parse(stdout) as { account: string }).account).toBe(HOSTILE);
  });
});

it('does not obey the name of a file', async () => {
  const { stderr } = await runCli(['backup', HOSTILE]);
  expect(stderr).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
});

it.each(['-pGEHEIM', '-p=GEHEIM', '--pasword=GEHEIM', '--pasword GEHEIM', '—password=GEHEIM'])(
  'does not repeat what follows an option that it does not know: %s',
  async (argument) => {
    const { code, stderr } = await runCli(['show', 'perspio', argument]);
    expect(code).toBe(2);
    expect(stderr).not.toContain('GEHEIM');
  },
);
