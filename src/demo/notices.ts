import type { Keeper, KeeperEvents } from '../keeper-api.ts';

/** What the people concerned are told from now on. */
export interface Told {
  /** The messages so far, oldest first. */
  readonly notices: readonly KeeperEvents['notice'][];
  /** Does what a running keeper does from time to time: renews what is due, delivers what waits. */
  upkeep(): Promise<void>;
}

/** Listens to the messages for the people concerned. */
export function listen(keeper: Keeper): Told {
  const notices: KeeperEvents['notice'][] = [];
  keeper.on('notice', (notice) => void notices.push(notice));
  return {
    notices,
    async upkeep() {
      await keeper.refreshDue();
    },
  };
}
