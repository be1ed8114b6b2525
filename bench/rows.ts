import type { Row } from './harness/row.ts';
import { coldExpired, coldValid } from './rows/cold.ts';
import { expiryCallers, expiryProcesses } from './rows/expiry.ts';
import { refreshMany, refreshPure, refreshStored } from './rows/refresh.ts';

/** Every row, in the order of the table. */
export const ROWS: readonly Row[] = [
  refreshStored,
  refreshMany,
  refreshPure,
  expiryCallers,
  expiryProcesses,
  coldValid,
  coldExpired,
];
