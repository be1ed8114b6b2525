import { hostname } from 'node:os';
import { readSystemFile, readSystemFileSync } from './files.ts';

/** Which machine this is, and which of its boots. */
export interface Machine {
  /** Stays the same over boots; differs between machines. */
  readonly machineId: string;
  /** Differs between boots. */
  readonly bootId: string;
  /** For people. */
  readonly hostname: string;
  /** Process id, for people. */
  readonly pid: number;
}

/** Begins the id of a machine that has none: its host name stands in. */
const HOST_PREFIX = 'host:';
const MACHINE_ID_FILE = '/etc/machine-id';

/** Tells whether a machine id is more than a host name, which is another in each container. */
export function isLastingMachineId(machineId: string): boolean {
  return !machineId.startsWith(HOST_PREFIX);
}

/** Asks the system: `/etc/machine-id` and the kernel's boot id on Linux, `sysctl` on macOS. */
export async function thisMachine(): Promise<Machine> {
  const host = hostname();
  const [machineId, bootId] =
    process.platform === 'darwin'
      ? await Promise.all([sysctl('kern.uuid'), sysctl('kern.bootsessionuuid')])
      : await Promise.all([
          readSystemFile(MACHINE_ID_FILE),
          readSystemFile('/proc/sys/kernel/random/boot_id'),
        ]);
  return {
    // Images of containers often come with an empty file.
    machineId: nonEmpty(machineId) ?? `${HOST_PREFIX}${host}`,
    bootId: nonEmpty(bootId) ?? 'unknown',
    hostname: host,
    pid: process.pid,
  };
}

/** The id of this machine, at once; undefined where it has none, or where asking takes a process of its own (macOS). */
export function machineIdSync(): string | undefined {
  return process.platform === 'darwin' ? undefined : nonEmpty(readSystemFileSync(MACHINE_ID_FILE));
}

async function sysctl(name: string): Promise<string | undefined> {
  // Loaded where it is needed only, since it takes longer to load than to ask.
  const { execFile } = await import('node:child_process');
  return new Promise((resolve) => {
    execFile('/usr/sbin/sysctl', ['-n', name], (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}

function nonEmpty(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}
