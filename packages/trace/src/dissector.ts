/**
 * Wireshark dissectors in Lua, made from a wire layout: one definition encodes, decodes and is read by people.
 *
 * An Ethernet type below 0x0600 is a length to Wireshark (IEEE 802.3), so a protocol like Sprite RPC (0x0500) cannot
 * register with the table of Ethernet types. The dissector takes the place of Ethernet's own instead, looks at the two
 * bytes, and hands everything else to the one it displaced. One protocol in a file can do so.
 */
import type { Field, LayoutFacts, Names } from '@backplane/wire';

export interface DissectedProtocol {
  /** Filter name: letters and digits. */
  readonly name: string;
  readonly title: string;
  readonly header: LayoutFacts;
  readonly etherType: number;
  /** Internet protocol number, where it travels so too. */
  readonly ipProtocol?: number;
  /** Name of the field whose named value is shown in the list of packets. */
  readonly summary: string;
}

export function dissectorFor(p: DissectedProtocol): string {
  const fields = p.header.fields.filter((f) => ['u8', 'u16', 'u32', 'bits'].includes(f.kind));
  return `-- ${p.title}: generated from the wire layout "${p.header.name}". Use: tshark -X lua_script:THIS_FILE -r CAPTURE
local proto = Proto("${p.name}", ${text(p.title)})
local fields = proto.fields
${fields.map((f) => declare(p.name, f)).join('\n')}
fields.payload = ProtoField.bytes("${p.name}.payload", "payload")
local truncated = ProtoExpert.new("${p.name}.truncated", "shorter than its header", expert.group.MALFORMED, expert.severity.ERROR)
proto.experts = { truncated }

function proto.dissector(buffer, pinfo, tree)
  pinfo.cols.protocol = ${text(p.title)}
  local subtree = tree:add(proto, buffer())
  if buffer:len() < ${p.header.size} then
    subtree:add_proto_expert_info(truncated)
    return buffer:len()
  end
${fields.map(add).join('\n')}
${summary(fields, p.summary)}
  if buffer:len() > ${p.header.size} then subtree:add(fields.payload, buffer(${p.header.size})) end
  return buffer:len()
end

${p.etherType < leastEtherType ? insteadOfEthernet(p) : `DissectorTable.get("ethertype"):add(0x${p.etherType.toString(16)}, proto)`}
${p.ipProtocol === undefined ? '' : `DissectorTable.get("ip.proto"):add(${p.ipProtocol}, proto)\n`}`;
}

/** What is below is a length to Wireshark. */
const leastEtherType = 0x0600;

const insteadOfEthernet = (p: DissectedProtocol): string => `local ethernet = Dissector.get("eth_maybefcs")
local link = Proto("${p.name}_link", ${text(`${p.title} on Ethernet`)})
function link.dissector(buffer, pinfo, tree)
  if buffer:len() >= 14 and buffer(12, 2):uint() == 0x${p.etherType.toString(16).padStart(4, '0')} then
    pinfo.cols.src = tostring(buffer(6, 6):ether())
    pinfo.cols.dst = tostring(buffer(0, 6):ether())
    -- The last four bytes are the frame check sequence.
    return 14 + proto.dissector:call(buffer(14, buffer:len() - 18):tvb(), pinfo, tree)
  end
  return ethernet:call(buffer, pinfo, tree)
end
DissectorTable.get("wtap_encap"):add(wtap.ETHERNET, link)`;

const text = (s: string): string => `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

function declare(proto: string, f: Field): string {
  const kind = `uint${8 * f.width}`;
  const base = f.base === 16 || f.flags !== undefined ? 'base.HEX' : 'base.DEC';
  const names = f.names === undefined ? 'nil' : table(f.names);
  const own = `fields.${f.name} = ProtoField.${kind}("${proto}.${f.name}", "${f.name}", ${base}, ${names}, ${mask(f)}, ${text(f.doc)})`;
  const bits = Object.entries(f.flags ?? {}).map(
    ([name, mask]) =>
      `fields.${f.name}_${name} = ProtoField.bool("${proto}.${f.name}.${name}", "${name}", ${8 * f.width}, nil, 0x${mask.toString(16)})`,
  );
  return [own, ...bits].join('\n');
}

const ones = (count: number): number => (count === 32 ? 0xffff_ffff : (1 << count) - 1);

/** Of a field that shares its bytes with others. */
const mask = ({ bits }: Field): string =>
  bits === undefined ? 'nil' : `0x${((ones(bits.count) << bits.shift) >>> 0).toString(16)}`;

const table = (names: Names): string =>
  `{ ${Object.entries(names)
    .map(([name, value]) => `[${value >>> 0}] = ${text(name)}`)
    .join(', ')} }`;

function add(f: Field): string {
  const at = `buffer(${f.offset}, ${f.width})`;
  const method = f.endian === 'big' ? 'add' : 'add_le';
  const bits = Object.keys(f.flags ?? {}).map(
    (name) => `  ${f.name}_tree:${method}(fields.${f.name}_${name}, ${at})`,
  );
  return [`  local ${f.name}_tree = subtree:${method}(fields.${f.name}, ${at})`, ...bits].join('\n');
}

const numberIn = ({ offset, width, bits }: Field): string => {
  const word = `buffer(${offset}, ${width}):uint()`;
  return bits === undefined ? word : `bit.band(bit.rshift(${word}, ${bits.shift}), ${ones(bits.count)})`;
};

/** The list of packets shows the named value of one field, and the set flags of the first that has any. */
function summary(fields: readonly Field[], name: string): string {
  const shown = fields.find((f) => f.name === name);
  const flagged = fields.find((f) => f.flags !== undefined);
  const value =
    shown?.names === undefined
      ? ''
      : `  local names = ${table(shown.names)}\n  local value = ${numberIn(shown)}\n  local info = names[value] or tostring(value)\n`;
  const flags =
    flagged?.flags === undefined
      ? ''
      : `  local set = buffer(${flagged.offset}, ${flagged.width}):uint()\n${Object.entries(flagged.flags)
          .map(
            ([flag, mask]) =>
              `  if bit.band(set, 0x${mask.toString(16)}) ~= 0 then info = info .. " ${flag}" end`,
          )
          .join('\n')}\n`;
  return value === '' ? '' : `${value}${flags}  pinfo.cols.info = info`;
}
