/**
 * A process: what a native program has of the kernel (the part of Sprite's process control block that files need).
 *
 *   state     event                  action                                             next
 *   running   returns, exit, error   close its descriptors, tell the parent             ended
 *   running   kill                   leave its wait, then as above with status 137      ended
 *   ended     the parent waits       hand over the status, forget it                    -
 *
 * Children of a process that ends go on without a parent, and vanish when they end. In a crash nothing of this happens.
 */
import type { Scope, Thread } from '@backplane/engine';
import { WaitQueue } from '@backplane/engine';
import type { Descriptors } from '@backplane/file-service';
import type { AddressSpace, Credentials, NameView, Stream } from '@backplane/slots';

export class Process {
  readonly id: number;
  readonly name: string;
  readonly scope: Scope;
  readonly descriptors: Descriptors<Stream>;
  readonly view: NameView;
  readonly memory: AddressSpace;
  parent: Process | null;
  who: Credentials;
  umask: number;
  thread: Thread | null = null;
  /** Exit status, once it is known. */
  status: number | null = null;
  ended = false;
  readonly children: Set<Process> = new Set();
  /** Woken when a child ends. */
  readonly childEnded: WaitQueue = new WaitQueue();

  constructor(o: {
    readonly id: number;
    readonly name: string;
    readonly scope: Scope;
    readonly descriptors: Descriptors<Stream>;
    readonly view: NameView;
    readonly memory: AddressSpace;
    readonly parent: Process | null;
    readonly who: Credentials;
    readonly umask: number;
  }) {
    this.id = o.id;
    this.name = o.name;
    this.scope = o.scope;
    this.descriptors = o.descriptors;
    this.view = o.view;
    this.memory = o.memory;
    this.parent = o.parent;
    this.who = o.who;
    this.umask = o.umask;
  }
}
