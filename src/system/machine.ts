import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import { readSystemFile } from './files.ts';

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

/** Asks the system: `/etc/machine-id` and the kernel's boot id on Linux, `sysctl` on macOS. */
export async function thisMachine(): Promise<Machine> {
  const host = hostname();
  const [machineId, bootId] =
    process.platform === 'darwin'
      ? await Promise.all([sysctl('kern.uuid'), sysctl('kern.bootsessionuuid')])
      : await Promise.all([
          readSystemFile('/etc/machine-id'),
          readSystemFile('/proc/sys/kernel/random/boot_id'),
        ]);
  return {
    machineId: machineId?.trim() ?? `host:${host}`,
    bootId: bootId?.trim() ?? 'unknown',
    hostname: host,
    pid: process.pid,
  };
}

function sysctl(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('/usr/sbin/sysctl', ['-n', name], (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}
