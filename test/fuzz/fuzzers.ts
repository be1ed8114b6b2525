import type { Fuzzer } from './fuzzer.ts';
import { commandArguments } from './targets/arguments.ts';
import { callbackRequests } from './targets/callback.ts';
import { deviceAnswers } from './targets/device.ts';
import { discoveryDocuments } from './targets/discovery.ts';
import { headerFields } from './targets/headers.ts';
import { errorAnswers, tokenAnswers } from './targets/answers.ts';
import { keeperAnswers } from './targets/keeper-answers.ts';
import { homeFiles } from './targets/homes.ts';
import { settingsFiles } from './targets/settings.ts';
import { spillFiles } from './targets/spills.ts';
import { wireBytes } from './targets/wire.ts';

/** All fuzzers. */
export const FUZZERS: readonly Fuzzer[] = [
  tokenAnswers,
  errorAnswers,
  keeperAnswers,
  headerFields,
  wireBytes,
  deviceAnswers,
  discoveryDocuments,
  callbackRequests,
  settingsFiles,
  commandArguments,
  homeFiles,
  spillFiles,
];
