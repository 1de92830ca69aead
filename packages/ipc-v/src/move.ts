/** MoveFrom and MoveTo, at the mover: within the host from memory to memory, else by the memory manager over there. */
import { charge, settle, type Task, task } from '@backplane/engine';
import { Busy, codeOf, type Received, ReplyCode, segmentBytesMax } from '@backplane/slots';
import { whenBound } from './expected.ts';
import { allows, grantOf, numberOf, READ, type Right, WRITE } from './grant.ts';
import { type Mover, readGranted, readOut, writeGranted, writeInto } from './granted.ts';
import { readSegment, writeSegment } from './memory-manager.ts';
import { isDatagram } from './messages.ts';
import { askMemoryManager } from './pass-grant.ts';
import type { Process } from './process.ts';
import { openRequest, type Request } from './request.ts';

export const moveFrom: (
  p: Process,
  received: Received,
  from: number,
  to: number,
  bytes: number,
) => Task<number> = task(function* moveFrom(p, received, from, to, bytes): Task<number> {
  if (p.space === null) return yield* refuse(p);
  const moved = yield* moveBytesFrom(p, received, from, bytes);
  return typeof moved === 'number' ? moved : yield* writeInto(p.space, to, moved);
});

export const moveTo: (
  p: Process,
  received: Received,
  to: number,
  from: number,
  bytes: number,
) => Task<number> = task(function* moveTo(p, received, to, from, bytes): Task<number> {
  // Before we look at our own memory: a size that is no size would be read there.
  if (movable(p, received, WRITE, to, bytes) === null || p.space === null) return yield* refuse(p);
  const own = yield* readOut(p.space, from, bytes);
  return typeof own === 'number' ? own : yield* moveBytesTo(p, received, to, own);
});

export const moveBytesFrom: (
  p: Process,
  received: Received,
  from: number,
  bytes: number,
) => Task<Uint8Array | number> = task(function* moveBytesFrom(p, received, from, bytes): Task<
  Uint8Array | number
> {
  const request = yield* begin(p, received, READ, from, bytes);
  if (request === null) return ReplyCode.noPermission;
  const granter = request.sender ?? p.ipc.processes.get(request.from);
  const moved =
    granter === undefined
      ? yield* readFar(p, request, from, bytes)
      : yield* readGranted(granter, moverOf(p, request), from, bytes);
  if (p.stopped && !(yield* p.lives())) return ReplyCode.nonexistentEntity;
  if (typeof moved !== 'number') p.ipc.counters.moved(bytes);
  return moved;
});

export const moveBytesTo: (p: Process, received: Received, to: number, bytes: Uint8Array) => Task<number> =
  task(function* moveBytesTo(p, received, to, bytes): Task<number> {
    const request = yield* begin(p, received, WRITE, to, bytes.length);
    if (request === null) return ReplyCode.noPermission;
    const granter = request.sender ?? p.ipc.processes.get(request.from);
    const code =
      granter === undefined
        ? yield* writeFar(p, request, to, bytes)
        : yield* writeGranted(granter, moverOf(p, request), to, bytes);
    if (p.stopped && !(yield* p.lives())) return ReplyCode.nonexistentEntity;
    if (code === ReplyCode.ok) p.ipc.counters.moved(bytes.length);
    return code;
  });

/** The checks that this host can make: the process has the request, and its grant allows the move. */
function movable(
  p: Process,
  received: Received,
  right: Right,
  address: number,
  bytes: number,
): Request | null {
  const request = openRequest(p, received);
  if (request === null || isDatagram(request.message) || request.arrived?.abandoned === true) return null;
  const grant = grantOf(request.message);
  return grant !== null && allows(grant, right, address, bytes) ? request : null;
}

const moverOf = (p: Process, r: Request): Mover => ({
  id: p.id,
  number: numberOf(r.message),
  process: p,
});

/** A trap, and the copy if both are on this host; then the checks. */
const begin: (
  p: Process,
  received: Received,
  right: Right,
  address: number,
  bytes: number,
) => Task<Request | null> = task(function* begin(p, received, right, address, bytes): Task<Request | null> {
  const { ipc } = p;
  const hopeful = movable(p, received, right, address, bytes);
  const near = hopeful !== null && ipc.processes.has(hopeful.from);
  charge(near ? ipc.trapNs + ipc.copyNs(bytes) : ipc.trapNs, Busy.kernel);
  yield* settle();
  if (p.stopped && !(yield* p.lives())) return null;
  if (hopeful !== null && hopeful.bound !== null) yield* whenBound(hopeful);
  const request = movable(p, received, right, address, bytes);
  if (request === null) ipc.counters.refused++;
  return request;
});

const refuse: (p: Process) => Task<number> = task(function* refuse(p): Task<number> {
  charge(p.ipc.trapNs, Busy.kernel);
  yield* settle();
  if (p.stopped) yield* p.lives();
  p.ipc.counters.refused++;
  return ReplyCode.noPermission;
});

const readFar: (p: Process, r: Request, from: number, bytes: number) => Task<Uint8Array | number> = task(
  function* readFar(p, r, from, bytes): Task<Uint8Array | number> {
    const moved = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += segmentBytesMax) {
      const count = Math.min(segmentBytesMax, bytes - at);
      const answer = yield* askMemoryManager(p, readSegment(r.from, moverOf(p, r), from + at, count));
      if (codeOf(answer) !== ReplyCode.ok) return failed(codeOf(answer));
      if (answer.segment.length !== count) return ReplyCode.badReplySegment;
      moved.set(answer.segment, at);
    }
    return moved;
  },
);

const writeFar: (p: Process, r: Request, to: number, bytes: Uint8Array) => Task<number> = task(
  function* writeFar(p, r, to, bytes): Task<number> {
    for (let at = 0; at < bytes.length; at += segmentBytesMax) {
      const segment = bytes.slice(at, at + segmentBytesMax);
      const answer = yield* askMemoryManager(p, writeSegment(r.from, moverOf(p, r), to + at, segment));
      if (codeOf(answer) !== ReplyCode.ok) return failed(codeOf(answer));
    }
    return ReplyCode.ok;
  },
);

/** The host that answers for the granter says that there is no such process: then it awaits no reply either. */
const failed = (code: number): number =>
  code === ReplyCode.nonexistentEntity ? ReplyCode.noPermission : code;
