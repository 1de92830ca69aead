/**
 * What arrives: the checks that every message passes, which life of its sender it comes from, and which half gets it.
 *
 *   a call                                     its fate
 *   of another RPC version                     denied, with the versions that there are
 *   of another program or program version      accepted, and told so
 *   without a credential that makes sense      denied: bad credential
 *   a short hand of another life of this host  denied: rejected credential
 *   of an earlier life of its sender           dropped
 *   the null procedure                         answered on the spot
 *   anything else without a short hand         denied: too weak (questions to everybody go by AUTH_UNIX)
 *   otherwise                                  to the servers
 *
 * A reply whose verifier is no short hand for this life of this host is nobody's.
 */
import type { PeerMonitor } from '@backplane/rpc-service';
import type { HostId } from '@backplane/slots';
import type { Client } from './client.ts';
import type { Counters } from './counters.ts';
import { type Credential, noAuth, shortAuth } from './credentials.ts';
import type { Halves } from './endpoint.ts';
import { acceptStates, authStates, nullProcedure, programs, programVersion, rpcVersion } from './layout.ts';
import { bootedNs, type Peer, type PeerTable, type Self } from './lives.ts';
import {
  authErrorMessage,
  bareMessage,
  type Call,
  programMismatchMessage,
  readCall,
  readReply,
  rpcMismatchMessage,
} from './messages.ts';
import type { Servers } from './servers.ts';

export interface ArrivalParts {
  readonly self: Self;
  readonly peers: PeerTable;
  readonly monitor: PeerMonitor;
  readonly counters: Counters;
  readonly client: Client;
  readonly servers: Servers;
}

export class Arrivals implements Halves {
  readonly #parts: ArrivalParts;

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
  }

  call(message: Uint8Array, from: HostId, port: number): void {
    const { servers, counters, self } = this.#parts;
    const call = readCall(message);
    if (call === undefined) {
      counters.malformed++;
      return;
    }
    if (!servers.open) return; // this host is still booting: the caller tries again
    const refusal = this.#refusal(call, from);
    if (refusal !== undefined) {
      counters.refused++;
      servers.answer(from, port, refusal);
      return;
    }
    const bootId = lifeIn(call.credential);
    if (bootId === 0) {
      servers.answer(from, port, bareMessage(call.xid, noAuth, acceptStates.success));
      return;
    }
    const peer = this.#met(from, bootId);
    if (peer === undefined) return;
    if (call.procedure === nullProcedure) {
      servers.answerNull(from, port, bareMessage(call.xid, peer.verifier(self), acceptStates.success));
    } else servers.request(peer, port, call);
  }

  reply(message: Uint8Array, from: HostId): void {
    const { counters, client, self } = this.#parts;
    const reply = readReply(message);
    if (reply === undefined) counters.malformed++;
    else if (reply.how === 'denied') client.denied(from, reply.xid);
    else if (reply.hand.client !== self.host || reply.hand.clientBoot !== self.bootId) counters.stale++;
    else {
      const peer = this.#met(from, reply.hand.serverBoot);
      if (peer === undefined) return;
      if (peer.credential === null) {
        peer.credential = shortAuth(reply.hand);
        peer.bootedNs = bootedNs(reply.hand);
      }
      client.accepted(from, reply);
    }
  }

  /** The answer to a call that nobody looks at any further. */
  #refusal(call: Call, from: HostId): Uint8Array | undefined {
    const { self } = this.#parts;
    const { xid, program, credential, procedure } = call;
    if (call.rpcVersion !== rpcVersion) return rpcMismatchMessage(xid);
    if (program !== programs.calls && program !== programs.questions)
      return bareMessage(xid, noAuth, acceptStates.programUnavailable);
    if (call.version !== programVersion) return programMismatchMessage(xid, noAuth);
    if (credential === undefined) return authErrorMessage(xid, authStates.badCredential);
    if (credential.flavor === 'short') {
      const { hand } = credential;
      const ours = hand.serverBoot === self.bootId && hand.client === from;
      return ours ? undefined : authErrorMessage(xid, authStates.rejectedCredential);
    }
    const enough =
      procedure === nullProcedure || (credential.flavor === 'unix' && program === programs.questions);
    return enough ? undefined : authErrorMessage(xid, authStates.tooWeak);
  }

  /** Notes that this life of the host was heard; undefined if it is over. */
  #met(host: HostId, bootId: number): Peer | undefined {
    const { peers, monitor, counters, client, servers } = this.#parts;
    const peer = peers.of(host);
    if (bootId < peer.bootId) {
      counters.stale++;
      return undefined;
    }
    peer.silent = false;
    if (bootId > peer.bootId) {
      const rebooted = peer.bootId !== 0;
      peer.bootId = bootId;
      peer.credential = null;
      if (rebooted) {
        servers.forget(peer.host);
        client.rebooted(peer);
      }
    }
    monitor.heard(host, bootId);
    return peer;
  }
}

/** The life of the caller; 0 when it does not say. */
const lifeIn = (credential: Credential | undefined): number => {
  if (credential?.flavor === 'unix') return credential.bootId;
  return credential?.flavor === 'short' ? credential.hand.clientBoot : 0;
};
