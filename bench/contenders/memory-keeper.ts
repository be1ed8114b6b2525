import { openKeeper } from '../../src/keeper.ts';
import type { Prepare } from '../harness/contender.ts';
import { nameOf } from '../support/home.ts';

/** A home that holds connections already. */
interface Task {
  /** Where. */
  readonly home: string;
  /** How many. */
  readonly connections: number;
}

/** Ours: each connection has been asked for its token by name; what the process then holds more, names and tokens included. */
const prepare: Prepare<Task> = async ({ home, connections }) => {
  const keeper = await openKeeper({ home, create: false });
  await keeper.connection(nameOf(0)).token();
  return {
    async round() {
      const before = held();
      for (let i = 1; i <= connections; i++) await keeper.connection(nameOf(i)).token();
      return (held() - before) / connections;
    },
    close: () => keeper.close(),
  };
};

/** Bytes in use after a full collection: the heap, and what it holds outside. */
function held(): number {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('needs --expose-gc');
  for (let i = 0; i < 3; i++) gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export default prepare;
