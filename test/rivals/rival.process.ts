import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import type { KeeperLine, KeeperOrder, Served } from '../support/keeper-process.ts';
import type { Contender, Rival, RivalOptions } from './contender.ts';

/*
 * A rival as a process of its own, which speaks as `keeper.process.ts` does: `node rival.process.ts '<options as JSON>'`. With a refresh
 * token in `seed` it takes the grant over and ends.
 */
const { seed, ...options } = JSON.parse(process.argv[2] ?? '{}') as RivalOptions & {
  readonly seed?: string;
};

const MAKERS: Readonly<Record<Rival, (options: RivalOptions) => Promise<Contender>>> = {
  'naive-file': async (at) => (await import('./contenders/naive-file.ts')).naiveFile(at),
  'openid-client-file': async (at) =>
    (await import('./contenders/openid-client-file.ts')).openidClientFile(at),
  'msal-file-cache': async (at) =>
    (await import('./contenders/msal-file-cache.ts')).msalFileCache(at),
};

const contender = await MAKERS[options.rival](options);
if (seed === undefined) converse();
else await contender.seed(seed);

function converse(): void {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, ...order } = JSON.parse(line) as KeeperOrder & { readonly id: number };
    void carryOut(order).then((result) => print({ reply: id, result: result ?? null }));
  });
  print({ ready: true });
  // One that is killed leaves nothing for the next to start from, unless it does so now.
  flushCompileCache();
}

async function carryOut(order: KeeperOrder): Promise<unknown> {
  if (order.do === 'token') {
    const { callers = 1 } = order;
    return Promise.all(Array.from({ length: callers }, () => serve(() => contender.token())));
  }
  if (order.do === 'refresh') {
    let last: Served | undefined;
    for (let i = 0; i < (order.times ?? 1); i++) last = await serve(() => contender.refresh());
    return last;
  }
  return undefined;
}

async function serve(ask: () => Promise<string>): Promise<Served> {
  try {
    return { value: await ask(), generation: 0 };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { code: name, message: message.slice(0, 200) };
  }
}

function print(line: KeeperLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
