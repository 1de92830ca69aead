/**
 * Notices to other hosts' managers (RFC 1045, section 3.4 and appendix III): the acknowledgements of VMTP, which are ordinary
 * datagrams. Each is sent in the name of the entity that has something to say: the server about a request, the client about a
 * response.
 */
import type { EntityId, MessagePriority } from '@backplane/slots';
import type { Place } from './carrier.ts';
import { priorityBits } from './codes.ts';
import type { Counters } from './counters.ts';
import { functions } from './layout.ts';
import { notifyRemoteVmtpClient, notifyVmtpClient, notifyVmtpServer } from './management.ts';
import { vmtpManagerGroup } from './numbers.ts';
import type { OutgoingParts } from './outgoing.ts';
import type { Output } from './output.ts';
import { controlWord } from './words.ts';

/** Which request a notice is about. */
export interface RequestName {
  readonly client: EntityId;
  readonly transaction: number;
  readonly forwardCount: number;
  readonly retransmitCount: number;
  readonly priority: MessagePriority;
}

export class Notices {
  readonly #output: Output;
  readonly #counters: Counters;
  /** Notices have numbers of their own, of which nobody keeps a record. */
  #transaction = 0;

  constructor(output: Output, counters: Counters) {
    this.#output = output;
    this.#counters = counters;
  }

  /**
   * To the host of the client; of a forwarded request, to the host that forwarded it.
   * @param delivery the blocks that have been received
   */
  toClient(to: Place, from: EntityId, name: RequestName, delivery: number, code: number): void {
    const { client, transaction, forwardCount, retransmitCount, priority } = name;
    const form = forwardCount === 0 ? notifyVmtpClient : notifyRemoteVmtpClient;
    const control = controlWord({
      retransmitCount: retransmitCount & 7,
      forwardCount,
      priority: priorityBits(priority),
      functionCode: functions.response,
    });
    const notice = { client, control, receiveSequence: 0, transaction, delivery, code };
    this.#send(to, from, priority, form.encode(notice));
  }

  toServer(
    to: Place,
    from: EntityId,
    server: EntityId,
    transaction: number,
    priority: MessagePriority,
    delivery: number,
    code: number,
  ): void {
    const notice = { server, client: from, transaction, delivery, code };
    this.#send(to, from, priority, notifyVmtpServer.encode(notice));
  }

  #send(
    to: Place,
    client: EntityId,
    priority: MessagePriority,
    m: ReturnType<typeof notifyVmtpServer.encode>,
  ): void {
    this.#counters.notices++;
    this.#transaction = (this.#transaction + 1) >>> 0;
    const parts: OutgoingParts = {
      client,
      server: vmtpManagerGroup,
      response: false,
      transaction: this.#transaction,
      forwardCount: 0,
      priority,
      flags: 0,
      gap: 0,
      multicast: false,
    };
    this.#output.sendBare(parts, m, to);
  }
}
