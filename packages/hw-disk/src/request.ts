/** One request to a drive, from the call that makes it until it has ended. */
import { WaitQueue } from '@backplane/engine';

export class Request {
  readonly operation: 'read' | 'write';
  readonly sector: number;
  readonly count: number;
  /** What is to be written; null for a read. */
  readonly data: Uint8Array | null;
  readonly queuedNs: number;
  /** Barriers before it. */
  epoch = 0;
  cylinder = 0;
  startNs = 0;
  seekNs = 0;
  rotationNs = 0;
  fromBuffer = false;
  /** What was read; null before that, and for a write. */
  bytes: Uint8Array | null = null;
  failed = false;
  ended = false;
  readonly whenEnded: WaitQueue = new WaitQueue();

  constructor(
    operation: 'read' | 'write',
    sector: number,
    count: number,
    data: Uint8Array | null,
    nowNs: number,
  ) {
    this.operation = operation;
    this.sector = sector;
    this.count = count;
    this.data = data;
    this.queuedNs = nowNs;
  }

  end(): void {
    this.ended = true;
    this.whenEnded.wakeAll();
  }

  /** Both touch a sector, and one of them writes it: their order matters. */
  conflictsWith(other: Request): boolean {
    return (
      (this.operation === 'write' || other.operation === 'write') &&
      this.sector < other.sector + other.count &&
      other.sector < this.sector + this.count
    );
  }
}
