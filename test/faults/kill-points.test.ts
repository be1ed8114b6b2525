import { expect, test } from 'vitest';
import { killAndReturnLate, killEverywhere, POINTS } from './experiments/kill-points.ts';
import { EXPECTED, lost, unsent } from './experiments/kill-table.ts';
import { ROTATIONS, startServer } from './experiments/servers.ts';

test('a kill at any step of a refresh, under any rotation, ends as the table says', async () => {
  const kills = await killEverywhere(4);
  expect(kills).toHaveLength(POINTS.length * ROTATIONS.length * 4);
  const expected = kills.map((kill) => ({
    ...kill,
    aftermath: EXPECTED[kill.point][kill.rotation],
  }));
  expect(kills).toEqual(expected);
}, 300_000);

test.each([
  ['after-intent', unsent],
  ['after-send', lost],
] as const)(
  'a restart after the expiry makes the last try within the first call: %s',
  async (point, { expired }) => {
    await using server = await startServer();
    const standing = await killAndReturnLate(server, { point, rotation: 'single-use', round: 0 });
    expect(standing).toEqual(expired);
  },
);
