/** A frame as a capture shows it: real header, padding and frame check sequence. */
import type { Frame } from '@backplane/slots';
import { appendFcs, asMac, encodeFrame } from '@backplane/wire';

/**
 * All bytes of a frame from its destination to its frame check sequence, padded with zeros to the least size: 64 bytes
 * or more. Of a damaged frame the sequence is wrong, in every bit.
 */
export const frameBytes = (frame: Frame): Uint8Array => {
  const payload = frame.payload();
  const { type } = frame;
  const unsealed = encodeFrame(
    { destination: asMac(frame.destination), source: asMac(frame.source), type, payload },
    payload.length,
  );
  const bytes = appendFcs(unsealed);
  if (frame.damaged) for (let i = unsealed.length; i < bytes.length; i++) bytes[i] = ~(bytes[i] ?? 0);
  return bytes;
};
