import { delimiter, isAbsolute, join } from 'node:path';
import { canBeRun } from '../../system/program-file.ts';

/** What is wrong with the program of `notifyCommand`, in words that continue that name. */
export interface ProgramFault {
  /** What it is and what to do. */
  readonly fault: string;
  /** Whether it would run from here all the same. */
  readonly runs: boolean;
}

/** Looks whether a program is where it is said to be; undefined when it can be run. @param searched - the variable `PATH`. */
export function faultOfProgram(program: string, searched: string): ProgramFault | undefined {
  if (isAbsolute(program)) {
    if (canBeRun(program)) return undefined;
    return { fault: `${program} is not there, or no program that can be run`, runs: false };
  }
  const remedy = 'give its absolute path';
  if (program.includes('/'))
    return { fault: `${program} is another one in every folder; ${remedy}`, runs: false };
  const folders = searched.split(delimiter).filter(isAbsolute);
  if (!folders.some((folder) => canBeRun(join(folder, program))))
    return { fault: `${program} is in no folder of PATH; ${remedy}`, runs: false };
  return {
    fault: `${program} is looked for in PATH, which a service may not have; ${remedy}`,
    runs: true,
  };
}
