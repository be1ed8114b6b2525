import type { Fuzzer } from './fuzzer.ts';
import { headerFields } from './targets/headers.ts';
import { errorAnswers, tokenAnswers } from './targets/answers.ts';

/** All fuzzers. */
export const FUZZERS: readonly Fuzzer[] = [tokenAnswers, errorAnswers, headerFields];
