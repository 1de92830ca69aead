/** The board for slot `disk`: one drive, by its profile. */
import { type Component, defineComponent, type Machine } from '@backplane/slots';
import { z } from 'zod';
import { Drive } from './drive.ts';
import { driveProfile, type ProfileName, profileNames } from './profiles.ts';
import { type Policy, policyNames } from './request-queue.ts';
import { version } from './version.ts';

const options = z.strictObject({
  profile: z
    .enum(profileNames)
    .default('eagle')
    .describe('which drive it is; "instant" has no mechanism and takes no time'),
  policy: z
    .enum(policyNames)
    .default('scan')
    .describe('which waiting request goes next: elevator, shortest seek time first, first in first out'),
  sectors: z
    .int()
    .min(0)
    .default(0)
    .describe('how many of its sectors are used, from the first, for small disks; 0: all'),
});
export interface DriveOptions {
  readonly profile?: ProfileName;
  readonly policy?: Policy;
  readonly sectors?: number;
}

export const drive: Component<'disk', DriveOptions> = /* @__PURE__ */ defineComponent({
  name: '@backplane/hw-disk',
  version,
  slot: 'disk',
  contract: 1,
  requires: ['processors?'],
  options,
  create: ({ processors }, { profile, policy, sectors }, machine) => {
    const made = new Drive(machine, processors ?? null, driveProfile(profile), policy, sectors);
    register(machine, made);
    return made;
  },
  reset: (board) => (board as Drive).reset(),
});

function register({ metrics, role }: Machine, { counts, mechanism }: Drive): void {
  metrics.register(`disk.${role}.reads`, () => counts.reads);
  metrics.register(`disk.${role}.writes`, () => counts.writes);
  metrics.register(`disk.${role}.sectors`, () => counts.sectors);
  metrics.register(`disk.${role}.busySeconds`, () => (mechanism?.counts.busyNs ?? 0) / 1e9);
  metrics.register(`disk.${role}.seekSeconds`, () => (mechanism?.counts.seekNs ?? 0) / 1e9);
  metrics.register(`disk.${role}.rotationSeconds`, () => (mechanism?.counts.rotationNs ?? 0) / 1e9);
  metrics.register(`disk.${role}.queueMax`, () => mechanism?.counts.queueMax ?? 0, 'max');
}
