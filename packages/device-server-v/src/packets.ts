/**
 * The network as a device: a block is a frame with its header, as it is on the wire. A read waits for the next frame of the type
 * that was opened, a write sends one; protocols are built on this outside the kernel. Several opens of one type each get every
 * frame.
 */
import { charge, type Task } from '@backplane/engine';
import {
  Busy,
  Frame,
  isBackplaneError,
  isGroupAddress,
  KernelError,
  type Machine,
  type Message,
  message,
  type Nic,
  type Processors,
  ReplyCode,
  type Undo,
  wordOf,
} from '@backplane/slots';
import { attributeBits, type BlockPosition, type UioObject } from '@backplane/uio';
import { asMac, decodeFrame, ETHERNET, encodeFrame } from '@backplane/wire';
import { DeviceFunction } from './functions.ts';
import { Inbox } from './inbox.ts';

const attributes: number = /* @__PURE__ */ attributeBits('readable', 'writeable', 'stream', 'variableBlock');

/** Who has which types of frames of one interface. */
export class Packets {
  readonly nic: Nic;
  readonly machine: Machine;
  readonly #processors: Processors;
  readonly #inboxBlocks: number;
  readonly #types = new Map<number, { readonly inboxes: Set<Inbox>; readonly undo: Undo }>();
  /** Frames for which no reader had room. */
  dropped = 0;

  constructor(nic: Nic, machine: Machine, processors: Processors, inboxBlocks: number) {
    this.nic = nic;
    this.machine = machine;
    this.#processors = processors;
    this.#inboxBlocks = inboxBlocks;
  }

  /** @throws KernelError `busy` for a type that the kernel's own protocols take */
  open(type: number): Inbox {
    const inbox = new Inbox(this.#inboxBlocks);
    const entry = this.#types.get(type) ?? this.#take(type);
    entry.inboxes.add(inbox);
    return inbox;
  }

  close(type: number, inbox: Inbox): void {
    const entry = this.#types.get(type);
    inbox.wakeAll();
    if (entry === undefined || !entry.inboxes.delete(inbox) || entry.inboxes.size > 0) return;
    entry.undo();
    this.#types.delete(type);
  }

  #take(type: number): { readonly inboxes: Set<Inbox>; readonly undo: Undo } {
    const inboxes = new Set<Inbox>();
    try {
      const undo = this.nic.receive(type, (frame) => this.#arrived(frame, inboxes));
      const entry = { inboxes, undo };
      this.#types.set(type, entry);
      return entry;
    } catch (e) {
      if (!isBackplaneError(e)) throw e;
      throw new KernelError('busy', `frames of type ${type}`);
    }
  }

  #arrived(frame: Frame, inboxes: ReadonlySet<Inbox>): void {
    this.#processors.interrupt(this.machine.type.costs.packetReceiveNs, Busy.network, () => {
      const { destination, source, type } = frame;
      const payload = frame.payload();
      const block = encodeFrame(
        { destination: asMac(destination), source: asMac(source), type, payload },
        payload.length,
      );
      for (const inbox of inboxes) if (!inbox.put(block)) this.dropped++;
    });
  }
}

export class PacketObject implements UioObject {
  readonly attributes: number = attributes;
  readonly blockBytes: number;
  readonly #packets: Packets;
  readonly #type: number;
  readonly #inbox: Inbox;
  readonly #groups: Undo[] = [];
  #open = true;

  constructor(packets: Packets, type: number) {
    this.#packets = packets;
    this.#type = type;
    this.#inbox = packets.open(type);
    this.blockBytes = packets.nic.mtuBytes + ETHERNET.headerBytes;
  }

  *read(): Task<Uint8Array | null> {
    return yield* this.#inbox.take(() => this.#open);
  }

  /** The source address is the interface's, whatever the header says. */
  *write(_: BlockPosition, bytes: Uint8Array): Task<void> {
    const frame = decodeFrame(bytes);
    if (frame === undefined || frame.type !== this.#type)
      throw new KernelError('badArgument', 'no such frame');
    const { nic, machine } = this.#packets;
    charge(machine.type.costs.packetSendNs, Busy.network);
    nic.send(new Frame(frame.destination, nic.address, frame.type, [frame.payload]));
  }

  *control(request: Message): Task<Message> {
    if (wordOf(request, 2) !== DeviceFunction.joinGroup)
      throw new KernelError('unsupported', 'no such function');
    const group = wordOf(request, 3) * 0x1_0000_0000 + wordOf(request, 4);
    if (!isGroupAddress(group)) throw new KernelError('badArgument', 'no group');
    this.#groups.push(this.#packets.nic.join(group));
    return message({ code: ReplyCode.ok });
  }

  *release(): Task<void> {
    this.#open = false;
    for (const leave of this.#groups) leave();
    this.#packets.close(this.#type, this.#inbox);
  }
}
