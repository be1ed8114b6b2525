import type { Prepare } from '../harness/contender.ts';
import { nameOf } from '../support/home.ts';
import { callInGroups, shuffledNames, type TokenTask } from '../support/token-task.ts';
import { accessToken } from '../support/tokens.ts';

interface Kept {
  readonly value: string;
  readonly expiresAt: number;
}

/** The limit: an async function that looks a token up in a Map and asks the clock whether it lives. */
const prepare: Prepare<TokenTask> = async (task) => {
  const kept = new Map<string, Kept>();
  const names = Array.from({ length: task.connections }, (_, i) => nameOf(i));
  for (const [i, name] of names.entries()) {
    kept.set(name, { value: accessToken(i), expiresAt: Date.now() + 3_600_000 });
  }
  const token = async (name: string): Promise<Kept> => {
    const found = kept.get(name);
    if (found === undefined || found.expiresAt <= Date.now()) throw new Error('there is none');
    return found;
  };
  const asked = shuffledNames(names, 16_384);
  const call = (i: number): Promise<unknown> => token(asked[i & 16_383] ?? '');
  return {
    async round() {
      await callInGroups(task, call);
      return undefined;
    },
  };
};

export default prepare;
