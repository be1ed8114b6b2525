import { ratioRow } from '../harness/ratio-row.ts';
import type { Row } from '../harness/row.ts';
import type { ProxyTask } from '../support/proxy-driver.ts';

/** At least 0.7 times as many calls for the same processor time. */
const BAR = 1 / 0.7;

function proxyRow(name: string, size: string, task: ProxyTask): Row {
  return ratioRow({
    name,
    work: `calls through a daemon on its owner's socket, ${size} each way: judged, filed, checked and given their credentials`,
    limit:
      '`node:http` to undici on a socket, bodies piped, a token added; nothing judged, filed or checked',
    measure: 'CPU time of one call in the process between',
    unit: 'µs',
    by: 'cpu',
    scale: 1_000 / task.calls,
    roundsByDefault: 15,
    warmup: 4,
    bar: BAR,
    rest: 'the target and every field are looked at in both directions, and a body of up to 1 MiB is kept until its answer begins',
    entrants: () => ({
      entrants: [
        { name: 'evergrant', module: 'proxy-daemon.ts', options: { ...task } },
        { name: 'undici to node:http', module: 'proxy-bare.ts', options: { ...task } },
      ],
    }),
  });
}

/** Small bodies and large ones. */
export const proxyRows: readonly Row[] = [
  proxyRow('proxy-1k', '1 KiB', { bytes: 1_024, calls: 500, concurrency: 8 }),
  proxyRow('proxy-10m', '10 MiB', { bytes: 10 * 1_024 * 1_024, calls: 4, concurrency: 2 }),
];
