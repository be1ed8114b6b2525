import type { Row } from './harness/row.ts';
import { coldExpired, coldValid } from './rows/cold.ts';
import { expiryCallers, expiryProcesses } from './rows/expiry.ts';
import { install } from './rows/install.ts';
import { memory } from './rows/memory.ts';
import { proxyRows } from './rows/proxy.ts';
import { refreshMany, refreshPure, refreshStored } from './rows/refresh.ts';
import { socketToken } from './rows/socket.ts';
import { tokenRows } from './rows/token.ts';
import { wakeUp } from './rows/wake-up.ts';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...tokenRows,
  refreshStored,
  refreshMany,
  refreshPure,
  expiryCallers,
  expiryProcesses,
  memory,
  coldValid,
  coldExpired,
  wakeUp,
  socketToken,
  ...proxyRows,
  install,
];
