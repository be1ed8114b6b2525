import { Findings } from './findings.ts';
import { keptHomeAt, startServer } from './servers.ts';

/** Kills a keeper inside the commit of its second refresh: it may have told of no generation that is not in the store. */
export async function tellEarly(): Promise<Findings> {
  const findings = new Findings('kills', 'told before it was stored');
  await using server = await startServer();
  const { home: made } = await keptHomeAt(server, 'single-use');
  await using home = made;
  await using victim = await home.spawn({ failpoints: ['inside-commit:kill@2'] });
  victim.refresh(2).catch(() => undefined);
  await victim.ended;
  findings.count('kills');
  const told = victim.events.flatMap(({ event, generation }) =>
    event === 'refreshed' && generation !== undefined ? [generation] : [],
  );
  const { generation } = (await home.look()).connection;
  const detail = `told ${told.join(' ')}, stored ${String(generation)}`;
  findings.check(Math.max(0, ...told) <= generation, 'told before it was stored', detail);
  return findings;
}
