// nodemailer's pool, as its documentation shows it.
// Usage: node nodemailer_pool.mjs PORT CONNECTIONS COUNT FOLDER, where FOLDER is what `newsletter render` wrote
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import nodemailer from "nodemailer";

const [port, connections, count] = process.argv.slice(2, 5).map(Number);
const folder = process.argv[5];
const text = readFileSync(join(folder, "064.txt"), "utf8");
const html = readFileSync(join(folder, "064.html"), "utf8").replaceAll("images/", "cid:");
const attachments = readdirSync(join(folder, "images")).map((name) => ({
  filename: name,
  cid: name,
  content: readFileSync(join(folder, "images", name)),
}));
const transport = nodemailer.createTransport({
  host: "127.0.0.1",
  port,
  secure: false,
  ignoreTLS: true,
  pool: true,
  maxConnections: connections,
  maxMessages: Infinity,
});
const started = performance.now();
let next = 0;
const lane = async () => {
  while (next < count) {
    const number = next++;
    await transport.sendMail({
      from: "预训练周刊 <weekly@example.org>",
      to: `读者${number} <user${String(number).padStart(7, "0")}@example.com>`,
      subject: "预训练周刊 No.64",
      text,
      html,
      attachments,
    });
  }
};
await Promise.all(Array.from({ length: connections * 2 }, lane));
console.log(count / ((performance.now() - started) / 1000));
transport.close();
