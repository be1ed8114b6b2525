import { count } from '../count.ts';
import { listen } from '../notices.ts';
import { connectAtOnce } from '../registration.ts';
import type { Scene } from '../scene.ts';

const READS = 1_000;

/** The grant is gone: it is said once why, who must act and how, and the server hears no more of it. */
export const revokedGrant: Scene = {
  title: 'The grant is revoked; 1,000 callers go on asking',
  async play(world) {
    const { emulator, signal } = world;
    const { connection, lifeMs, ...granted } = await connectAtOnce(world);
    const told = listen(await world.keeper());
    emulator.revokeUser('demo@perspio.io');
    world.pass(lifeMs);
    await connection.token({ signal }).catch(() => undefined);
    await told.upkeep();
    const first = granted.requests();
    const reads = await Promise.allSettled(
      Array.from({ length: READS }, () => connection.token({ signal })),
    );
    await told.upkeep();
    const refused = reads.filter(({ status }) => status === 'rejected').length;
    const further = granted.requests().length - first.length;
    const { cause, fix, status } = await connection.explain();
    return {
      counted: `“${cause}” Who must act: ${status.actor ?? 'nobody'}. ${fix} ${count(told.notices.length, 'notice')}, ${count(further, 'further request')}`,
      claims: {
        'the server refused the grant once': first.length === 1 && first[0]?.aadsts === 50173,
        'every caller was told so': refused === READS,
        'nothing more was sent': further === 0,
        'the cause is known': cause.includes('revoked'),
        'the owner must act': status.actor === 'owner' && status.state === 'attention',
        'the fix is to sign in': fix.includes('sign in'),
        'one notice went out': told.notices.length === 1 && told.notices[0]?.actor === 'owner',
      },
    };
  },
};
