/** The memory server: address spaces of this host. */
import { KernelError, segmentBytesMax } from '@backplane/slots';
import {
  bindRegion,
  createSpace,
  destroySpace,
  Operations,
  queryRegion,
  querySpace,
  readSpace,
  spaceOf,
  unbindRegion,
  writeSpace,
  writtenPages,
} from '@backplane/v-operations';
import { ByteWriter } from '@backplane/wire';
import type { Processes } from './processes.ts';
import type { Spaces } from './spaces.ts';

export function memoryServer(spaces: Spaces, processes: Processes): Operations {
  return new Operations()
    .on(createSpace, function* ({ name }) {
      const { number, memory } = spaces.create(name);
      return { space: number, pageBytes: memory.pageBytes };
    })
    .on(destroySpace, function* (q) {
      const space = spaces.get(q.space);
      for (const d of processes.of(q.space)) processes.destroy(d);
      yield* spaces.destroy(space);
      return {};
    })
    .on(bindRegion, function* ({ space, first, pages, writable, object }) {
      yield* spaces.bind(spaces.get(space), { first, pages, writable: writable === 1 }, object);
      return {};
    })
    .on(unbindRegion, function* ({ space, first, pages }) {
      yield* spaces.unbind(spaces.get(space), first, pages);
      return {};
    })
    .on(querySpace, function* (q) {
      const space = spaces.get(q.space);
      const { memory } = space;
      const regions = new ByteWriter();
      for (const { first, pages, writable } of spaces.regions(space))
        regions
          .u32(first)
          .u32(pages)
          .u32(writable ? 1 : 0);
      const { pageBytes, residentPages } = memory;
      return { pageBytes, residentPages, regions: regions.finish() };
    })
    .on(queryRegion, function* (q) {
      return { object: spaces.boundTo(spaces.get(q.space), q.first) };
    })
    .on(writtenPages, function* ({ space: number, since }) {
      const space = spaces.get(number);
      const pages = new ByteWriter();
      for (const page of since === 0 ? spaces.watch(space) : spaces.written(space, since === 2))
        pages.u32(page);
      return { pages: pages.finish() };
    })
    .on(readSpace, function* ({ space, address, count }) {
      const { memory } = spaces.get(space);
      return { content: yield* memory.read(address, Math.min(count, segmentBytesMax)) };
    })
    .on(writeSpace, function* ({ space, address, content }) {
      const { memory } = spaces.get(space);
      yield* memory.write(address, content);
      return {};
    })
    .on(spaceOf, function* (q) {
      const { space } = processes.get(q.process);
      if (space === 0) throw new KernelError('badArgument', 'a process without memory');
      return { space };
    });
}
