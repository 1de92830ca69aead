/**
 * A process goes to another host (Theimer, Lantz and Cheriton 1985), with its number, groups and messages. It is frozen when
 * it leaves and when it arrives. What was between it and processes of its old host becomes what is between hosts:
 *
 *   at the old host                                becomes
 *   a local sender, its request in our line        the sender asks again, by the transport (`Onward`)
 *   a local sender, its request received by us     the same; the request stays received, and expects what the sender sends
 *   our request at a local receiver                we ask again when we are thawed; there the request expects what we send
 *   our transaction with another host              the same transaction, sent again when we are thawed
 *   requests from other hosts                      the same requests, at the transport of the new host
 */
import type { Scope } from '@backplane/engine';
import {
  type AddressSpace,
  type ArrivedRequest,
  type EntityMoves,
  KernelError,
  type MovingProcess,
} from '@backplane/slots';
import { ByteReader, ByteWriter } from '@backplane/wire';
import { Arrivals } from './delivery.ts';
import { expectSender } from './expected.ts';
import type { VIpc } from './ipc.ts';
import type { Process } from './process.ts';
import type { Request, RequestList } from './request.ts';
import { Onward, resume } from './waiting.ts';

const entityDigits = 16;
const nameBytesMax = 255;
const stateBytesMax = 1 << 20;

/** Bytes are on their way in or out of its memory, or a grant is being passed on: that has to end first. */
export const isBusy = (p: Process): boolean =>
  p.moves > 0 || p.moving.size > 0 || p.asking > 0 || p.leaving.length > 0;

export function extract(p: Process, moves: EntityMoves): MovingProcess {
  const left = moves.take(p.id);
  const arrived = new Map(left.requests.map((a, i) => [a, i]));
  // What has arrived and is in no list, or was being answered, is not ours to carry: the transport does.
  p.carried = carriedOf([p.queue, p.open], arrived);
  for (const list of [p.queue, p.held]) for (const r of localOf(list)) askAgain(r, list);
  for (const r of localOf(p.open)) {
    const { sender } = r;
    expectSender(p, r);
    if (sender !== null) resume(sender, new Onward(p.id, r.message));
  }
  const { sent } = p;
  if (sent !== null && sent.receiver !== null) {
    expectSender(sent.receiver, sent);
    resume(p, new Onward(sent.to, sent.message));
  }
  for (const leave of p.groups.values()) leave();
  const state = new ByteWriter().string(p.id).string(p.name).u32(p.grants).opaque(left.state).finish();
  return { state, process: p };
}

/** @param scope where it is to live. Its threads come along */
export function install(
  ipc: VIpc,
  p: Process,
  moves: EntityMoves,
  state: Uint8Array,
  { scope, space }: { readonly scope: Scope; readonly space: AddressSpace | null },
): void {
  const from = new ByteReader(state);
  const [id] = [from.string(entityDigits), from.string(nameBytesMax), from.u32()];
  const left = from.opaque(stateBytesMax);
  if (from.failed || id !== p.id) throw new KernelError('badArgument', 'the state of a process');
  const { undo, requests } = moves.attach(p.id, new Arrivals(p), left);
  for (const [r, i] of p.carried) r.arrived = requests[i] ?? null;
  p.carried = [];
  p.detach = undo;
  p.ipc = ipc;
  p.journeys++;
  p.space = space;
  rehouse(p, scope);
  for (const group of p.groups.keys()) p.groups.set(group, ipc.entities.join(group, p.id));
}

function rehouse(p: Process, scope: Scope): void {
  const before = p.scope;
  p.scope = scope.child(p.name);
  for (const thread of before.threads()) if (thread !== p.life) p.scope.adopt(thread);
  before.crash();
}

function carriedOf(
  lists: readonly RequestList[],
  arrived: ReadonlyMap<ArrivedRequest, number>,
): (readonly [Request, number])[] {
  const carried: (readonly [Request, number])[] = [];
  for (const list of lists)
    for (const r of list.all()) {
      const i = r.arrived === null ? undefined : arrived.get(r.arrived);
      if (i !== undefined) carried.push([r, i]);
    }
  return carried;
}

const localOf = (list: RequestList): readonly Request[] => list.all().filter((r) => r.sender !== null);

/** It has not been received: there is nothing to remember here. */
function askAgain(r: Request, list: RequestList): void {
  list.remove(r);
  if (r.sender !== null) resume(r.sender, new Onward(r.to, r.message));
}
