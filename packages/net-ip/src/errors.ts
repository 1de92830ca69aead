/** What a developer can do wrong with the internet board. */
import { BackplaneError } from '@backplane/slots';

export const board = '@backplane/net-ip';

export const linkTooNarrow = (machine: string, mtuBytes: number, leastBytes: number): BackplaneError =>
  new BackplaneError(
    'LINK_TOO_NARROW',
    { board, machine, mtuBytes, leastBytes },
    `${board} on ${machine}: the link carries ${mtuBytes} bytes in a frame; the internet protocol asks for ${leastBytes}.`,
    'Use a link with larger frames.',
  );

export const datagramTooLarge = (machine: string, protocol: number, sizeBytes: number): BackplaneError =>
  new BackplaneError(
    'DATAGRAM_TOO_LARGE',
    { board, machine, protocol, sizeBytes },
    `${board} on ${machine}: a datagram of protocol ${protocol} has ${sizeBytes} bytes; it may have 65515.`,
    'Send less at once.',
  );

export const protocolTaken = (machine: string, protocol: number): BackplaneError =>
  new BackplaneError(
    'PROTOCOL_TAKEN',
    { board, machine, protocol },
    `${board} on ${machine}: somebody receives protocol ${protocol} already.`,
    'Take the first registration back before the second.',
  );
