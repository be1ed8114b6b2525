import { nameOf, openBenchKeeper } from './home.ts';

/* A keeper as a process of its own, on the home that its argument names. */

const HOUR_MS = 3_600_000;
const { keeper, advance } = await openBenchKeeper(process.argv[2] ?? '');
const connection = keeper.connection(nameOf(0));

process.on('message', (order: 'token' | 'expire' | 'close') => {
  void carryOut(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());

async function carryOut(order: 'token' | 'expire' | 'close'): Promise<string> {
  if (order === 'token') return (await connection.token()).value;
  if (order === 'close') await keeper.close();
  else advance(HOUR_MS);
  return order;
}
