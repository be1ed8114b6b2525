import type { Contender, ContenderMessage, Measured, Prepare } from './contender.ts';

/*
 * A contender as a process of its own: prepares, then does one round for each message, so that contenders never share a heap, a compiler
 * or a garbage collection.
 */
const [module = '', options = '{}'] = process.argv.slice(2);
const { default: prepare } = (await import(module)) as { default: Prepare<unknown> };
const contender = await prepare(JSON.parse(options));

process.on('message', (order: 'round' | 'close') => {
  if (order === 'close') void close(contender);
  else void measure(contender).then(tell);
});
tell({ ready: true });

async function measure(measured: Contender): Promise<Measured> {
  const cpu = process.cpuUsage();
  const since = performance.now();
  const value = await measured.round();
  const wall = performance.now() - since;
  const { user, system } = process.cpuUsage(cpu);
  await measured.between?.();
  return { cpu: (user + system) / 1_000, wall, value };
}

async function close(closing: Contender): Promise<void> {
  await closing.close?.();
  process.disconnect();
}

function tell(message: ContenderMessage): void {
  process.send?.(message);
}
