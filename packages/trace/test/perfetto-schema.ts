/**
 * The part of Perfetto's protos that timelines use, as its .proto files publish it (protos/perfetto/trace: trace.proto,
 * trace_packet.proto, clock_snapshot.proto, track_event/*.proto). Written apart from the writer, for a decoder that
 * knows only this.
 */
import { create, createFileRegistry, type DescMessage, fromBinary, toJson } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

type FieldType =
  | 'string'
  | 'uint64'
  | 'int64'
  | 'int32'
  | 'uint32'
  | 'bool'
  | 'double'
  | 'fixed64'
  | `.${string}`;
type Fields = Readonly<Record<string, readonly [number, FieldType, 'repeated'?]>>;

const messages: Readonly<Record<string, Fields>> = {
  Trace: { packet: [1, '.TracePacket', 'repeated'] },
  TracePacket: {
    clock_snapshot: [6, '.ClockSnapshot'],
    timestamp: [8, 'uint64'],
    trusted_packet_sequence_id: [10, 'uint32'],
    track_event: [11, '.TrackEvent'],
    track_descriptor: [60, '.TrackDescriptor'],
  },
  ClockSnapshot: { clocks: [1, '.Clock', 'repeated'] },
  Clock: { clock_id: [1, 'uint32'], timestamp: [2, 'uint64'] },
  TrackDescriptor: {
    uuid: [1, 'uint64'],
    name: [2, 'string'],
    process: [3, '.ProcessDescriptor'],
    thread: [4, '.ThreadDescriptor'],
    parent_uuid: [5, 'uint64'],
    counter: [8, '.CounterDescriptor'],
  },
  ProcessDescriptor: { pid: [1, 'int32'], process_name: [6, 'string'] },
  ThreadDescriptor: { pid: [1, 'int32'], tid: [2, 'int32'], thread_name: [5, 'string'] },
  CounterDescriptor: { unit: [3, 'int32'], unit_name: [6, 'string'] },
  TrackEvent: {
    debug_annotations: [4, '.DebugAnnotation', 'repeated'],
    type: [9, 'int32'],
    track_uuid: [11, 'uint64'],
    categories: [22, 'string', 'repeated'],
    name: [23, 'string'],
    counter_value: [30, 'int64'],
    double_counter_value: [44, 'double'],
    flow_ids: [47, 'fixed64', 'repeated'],
    terminating_flow_ids: [48, 'fixed64', 'repeated'],
  },
  DebugAnnotation: {
    bool_value: [2, 'bool'],
    uint_value: [3, 'uint64'],
    int_value: [4, 'int64'],
    double_value: [5, 'double'],
    string_value: [6, 'string'],
    name: [10, 'string'],
  },
};

const scalars = {
  string: Type.STRING,
  uint64: Type.UINT64,
  int64: Type.INT64,
  int32: Type.INT32,
  uint32: Type.UINT32,
  bool: Type.BOOL,
  double: Type.DOUBLE,
  fixed64: Type.FIXED64,
} as const;

const file = create(FileDescriptorProtoSchema, {
  name: 'perfetto.proto',
  syntax: 'proto2',
  messageType: Object.entries(messages).map(([name, fields]) => ({
    name,
    field: Object.entries(fields).map(([field, [number, type, repeated]]) => ({
      name: field,
      // As protoc would fill it in.
      jsonName: field.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      number,
      label: repeated === undefined ? Label.OPTIONAL : Label.REPEATED,
      type: type.startsWith('.') ? Type.MESSAGE : scalars[type as keyof typeof scalars],
      ...(type.startsWith('.') && { typeName: type }),
    })),
  })),
});

/** As JSON has it: 64-bit numbers are text. */
export interface DecodedPacket {
  readonly timestamp?: string;
  readonly trustedPacketSequenceId?: number;
  readonly clockSnapshot?: { readonly clocks: readonly object[] };
  readonly trackDescriptor?: Readonly<Record<string, unknown>> & {
    readonly uuid: string;
    readonly name: string;
  };
  readonly trackEvent?: Readonly<Record<string, unknown>> & {
    readonly type: number;
    readonly trackUuid: string;
  };
}

/** @throws when anything is not of the published type, or not known */
export function decodeTrace(bytes: Uint8Array): readonly DecodedPacket[] {
  const schema = createFileRegistry(file, () => undefined).getMessage('Trace') as DescMessage;
  const message = fromBinary(schema, bytes, { readUnknownFields: true });
  const unknown = JSON.stringify(message, (key, value) => {
    if (key === '$unknown') throw new Error('a field that is not in the published protos');
    return typeof value === 'bigint' ? String(value) : (value as unknown);
  });
  if (unknown === undefined) throw new Error('nothing was decoded');
  return (toJson(schema, message) as unknown as { readonly packet: readonly DecodedPacket[] }).packet;
}
