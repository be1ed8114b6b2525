import { freeSpace, type FreeSpace } from '../../system/file-system.ts';
import { failure, warning, type Check, type Finding } from './check.ts';

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** Less may not take what one refresh writes: the WAL and its shared memory, and the place that is kept for the answer. */
const LEAST_BYTES = 256 * KIB;
/** Less is soon used up by any program that writes there. */
const ENOUGH_BYTES = 64 * MIB;
const ENOUGH_FILES = 100;

/** The disk that holds the home has room: without it nothing is refreshed, since the answer could not be kept. */
export const disk: Check = {
  name: 'disk',
  exitCode: 9,
  async look({ paths }) {
    return [judge(paths.home, await freeSpace(paths.home))];
  },
};

function judge(home: string, { bytes, files }: FreeSpace): Finding {
  const figures = { freeBytes: bytes, ...(files !== undefined && { freeFiles: files }) };
  const remedy = 'free some: without room no connection is refreshed';
  const left = `the disk of ${home} has ${inWords(bytes)} left`;
  if (bytes < LEAST_BYTES) return { ...failure(left, remedy), figures };
  if (files === 0) {
    return { ...failure(`the disk of ${home} takes no more files`, remedy), figures };
  }
  if (bytes < ENOUGH_BYTES) return { ...warning(left, remedy), figures };
  if (files !== undefined && files < ENOUGH_FILES) {
    const few = `the disk of ${home} takes only ${String(files)} more files`;
    return { ...warning(few, remedy), figures };
  }
  return { verdict: 'ok', message: `${inWords(bytes)} left`, figures };
}

/** Bytes as people read them: exact below a MiB. */
function inWords(bytes: number): string {
  if (bytes < MIB) return `${String(bytes)} bytes`;
  const units = ['MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(bytes) / 10) - 2, units.length - 1);
  return `${(bytes / (MIB * KIB ** power)).toFixed(1)} ${units[power] ?? ''}`;
}
