// A solver written from the wire format in contentguard/admission/proof.py alone, on WebCrypto (which has no scrypt).
import { scryptSync } from "node:crypto";

const { ticket, algorithm, cost, puzzles, bits } = JSON.parse(process.argv[2]);
const { subtle } = globalThis.crypto;

const seal = new TextEncoder().encode(ticket.slice(0, 24));
const salt = new Uint8Array(16);
salt.set(new TextEncoder().encode("cg-proof"));
const salted = new DataView(salt.buffer);
const block = new Uint8Array(40);
block.set(seal);

const key = await subtle.importKey("raw", seal, "PBKDF2", false, ["deriveBits"]);
const tries = {
  pbkdf2: () => subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: cost }, key, 256),
  sha256: () => (block.set(salt, 24), subtle.digest("SHA-256", block)),
  scrypt: () => new Uint8Array(scryptSync(seal, salt, 32, { N: cost, r: 8, p: 1 })).buffer,
};

const answers = [];
for (let i = 0; i < puzzles; i++) {
  salted.setUint32(8, i);
  for (let n = 0; ; n++) {
    salted.setUint32(12, n);
    if (new DataView(await tries[algorithm]()).getUint32(0) >>> (32 - bits) === 0) {
      answers.push(n);
      break;
    }
  }
}
process.stdout.write(answers.join("."));
