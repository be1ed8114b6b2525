import type * as z from 'zod';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  clientStatus,
  type connectLinkAnswer,
  connectionStatus,
  type deadLetters,
  explanation,
} from '../../../src/daemon/api/schemas.ts';
import { endpointGlance } from '../../../src/daemon/browser/endpoints.ts';
import { glance, glanceChanges } from '../../../src/daemon/browser/glance.ts';
import type {
  Actor,
  Changes,
  Client,
  ConsentLink,
  DeadLetters,
  Endpoint,
  Explanation,
  Glance,
} from '../../../src/dashboard/data/types.ts';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { makeTrouble } from '../../support/troubled.ts';

const start = daemonFixture();

/** What the schema of an answer promises. */
type Answer<S extends z.ZodType> = z.output<S>;

/*
 * The compiler is what fails here: `npm run types` reads this file. Each answer must be at least what the dashboard reads of it.
 */
describe('the types that the dashboard has of answers', () => {
  it('are what the schemas of the daemon promise', () => {
    expectTypeOf<Answer<typeof glance>>().toExtend<Glance>();
    expectTypeOf<Answer<typeof glanceChanges>>().toExtend<Changes>();
    expectTypeOf<Answer<typeof endpointGlance>>().toExtend<Endpoint>();
    expectTypeOf<Answer<typeof clientStatus>>().toExtend<Client>();
    expectTypeOf<Answer<typeof explanation>>().toExtend<Explanation>();
    expectTypeOf<Answer<typeof deadLetters>>().toExtend<DeadLetters>();
    expectTypeOf<Answer<typeof connectLinkAnswer>>().toExtend<ConsentLink>();
  });

  it('leave out nothing of a row, and know every state and everybody who must act', () => {
    expectTypeOf<keyof Answer<typeof glance>>().toEqualTypeOf<keyof Glance>();
    expectTypeOf<Answer<typeof glance>['state']>().toEqualTypeOf<Glance['state']>();
    expectTypeOf<Answer<typeof glance>['actor']>().toEqualTypeOf<Actor | null>();
    expectTypeOf<Answer<typeof explanation>['confidence']>().toEqualTypeOf<
      Explanation['confidence']
    >();
    expectTypeOf<keyof Answer<typeof endpointGlance>>().toEqualTypeOf<keyof Endpoint>();
  });
});

describe('what the daemon answers', () => {
  it('is what its schemas promise, line by line and whatever the state', async () => {
    const daemon = await start();
    await makeTrouble(daemon.world);
    const [head, ...rows] = await linesOf(daemon, '/v1/glance');
    const count = rows.pop();
    expect(head).toEqual({ at: daemon.world.clock.now(), last: expect.any(Number) as number });
    expect(count).toEqual({ count: rows.length });
    const states = rows.map((row) => glance.parse(row).state);
    expect(new Set(states)).toEqual(new Set(['active', 'attention', 'paused', 'uncertain']));
    const json = async (path: string): Promise<Record<string, unknown>> =>
      (await daemon.ask(path)).json as Record<string, unknown>;
    const changes = glanceChanges.parse(await json('/v1/glance/changes?after=0'));
    expect(changes.connections.map(({ name }) => name).toSorted()).toEqual(
      rows.map((row) => glance.parse(row).name),
    );
    expect(changes.gone).toEqual(['old-integration']);
    const { endpoints } = await json('/v1/glance/endpoints');
    expect(endpointGlance.array().parse(endpoints)).toHaveLength(1);
    const { clients } = await json('/v1/clients');
    expect(clientStatus.array().parse(clients).length).toBeGreaterThan(0);
    const { status } = explanation.parse(await json('/v1/connections/crm-import/explanation'));
    expect(connectionStatus.parse(status).actor).toBe('owner');
  });
});

async function linesOf({ ask }: TestDaemon, path: string): Promise<unknown[]> {
  const { text } = await ask(path);
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}
