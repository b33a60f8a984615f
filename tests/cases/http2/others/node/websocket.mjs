// As much of RFC 6455 as an echo needs: frames of any length, masked or not.

export function frame(opcode, payload, masked) {
  const length = payload.length;
  const size = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255] : null;
  if (!size) throw new Error("longer than these scripts send");
  const head = [0x80 | opcode, size[0] | (masked ? 0x80 : 0), ...size.slice(1)];
  if (!masked) return Buffer.concat([Buffer.from(head), payload]);
  const key = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([Buffer.from(head), key, payload.map((byte, at) => byte ^ key[at % 4])]);
}

// Calls back with the opcode and payload of each frame that is whole.
export class Reader {
  constructor(each) {
    this.each = each;
    this.early = Buffer.alloc(0);
  }

  push(bytes) {
    this.early = Buffer.concat([this.early, bytes]);
    for (;;) {
      const early = this.early;
      if (early.length < 2) return;
      let at = 2;
      let length = early[1] & 0x7f;
      if (length === 126) {
        if (early.length < 4) return;
        length = early.readUInt16BE(2);
        at = 4;
      }
      const masked = early[1] & 0x80;
      const key = early.subarray(at, at + 4);
      if (masked) at += 4;
      if (early.length < at + length) return;
      let payload = early.subarray(at, at + length);
      if (masked) payload = payload.map((byte, index) => byte ^ key[index % 4]);
      this.early = early.subarray(at + length);
      this.each(early[0] & 0x0f, payload);
    }
  }
}
