// Runs inside the cell as the gateway's parent, and is the cell's only way in and out.
//
//   meter:   loopback port in the cell -> unix socket that the worker's meter listens on
//   tools:   loopback port in the cell -> unix socket that serves the product's own tools
//   gateway: listening unix socket handed down by the worker -> the gateway's loopback port
//   files:   listening unix socket handed down by the worker -> the person's files (state.mjs)
//
// In a jail there is no loopback: the gateway has its socket itself and calls the other two
// (loopback.cjs), and only files pass here.
//
// The worker never opens the cell's files itself: whatever stands there, this process reads and
// writes it with the cell's own rights and no others. When stdin ends, the cell ends.
import {spawn} from 'node:child_process';
import {createReadStream, realpathSync} from 'node:fs';
import {mkdir, rename, rm, writeFile} from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import {openPlain, State} from './state.mjs';
import {forget} from './surgery.mjs';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

const own = JSON.parse(process.env.CELL_RELAY ?? '');
// Only the cell's own uid may enter it, so this cannot be done before.
process.chdir(own.home);
const root = process.cwd();
const state = new State(root);
const SQLITE_FULL = 13;

/**
 * @param {net.Socket} one
 * @param {net.Socket} other
 */
function join(one, other) {
  for (const {from, to} of [{from: one, to: other}, {from: other, to: one}]) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

if (own.loopback === undefined) {
  net.createServer((call) => join(call, net.connect(own.meterSocket))).listen(own.meterPort, '127.0.0.1');
  net.createServer((call) => join(call, net.connect(own.toolsSocket))).listen(own.toolsPort, '127.0.0.1');
  net.createServer((call) => join(call, net.connect(own.gatewayPort, '127.0.0.1'))).listen({fd: own.gatewayFd});
}
http.createServer((request, response) => {
  serveFiles(request, response).catch((error) => {
    if (response.headersSent) response.destroy(error);
    // Its message may name somebody's file.
    else response.writeHead(statusOf(error)).end(String(error.code ?? ''));
  });
}).listen({fd: own.filesFd});

/** @param {NodeJS.ErrnoException & {errcode?: number}} error */
function statusOf(error) {
  if (error.code === 'ENOENT') return 404;
  const isFull = ['ENOSPC', 'EDQUOT'].includes(error.code ?? '') || error.errcode === SQLITE_FULL;
  return isFull ? 507 : 500;
}

/**
 * @param {Request} request
 * @param {Response} response
 */
async function serveFiles(request, response) {
  const {pathname, searchParams} = new URL(request.url ?? '', 'http://cell');
  const wanted = decodeURIComponent(pathname.slice(1));
  if (wanted === 'state') return serveState(request, response, Number(searchParams.get('since')));
  if (wanted === 'forget' && request.method === 'POST') {
    await forget(root, await json(request));
    return response.writeHead(204).end();
  }
  if (request.method === 'GET') {
    return sendFile(response, within(wanted), Number(searchParams.get('most')));
  }
  if (request.method === 'PUT') return takeFile(request, response, within(wanted));
  response.writeHead(405).end();
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {number} since
 */
async function serveState(request, response, since) {
  if (request.method === 'GET') await state.send(since, response);
  else response.end(JSON.stringify(await state.take(request)));
}

/** @param {Request} request */
async function json(request) {
  return JSON.parse((await request.setEncoding('utf8').toArray()).join(''));
}

/** @param {string} name */
function within(name) {
  const full = path.resolve(root, name);
  if (!full.startsWith(root + path.sep)) throw new Error('outside of the cell');
  return full;
}

/**
 * Tells whether no folder on the way is a link: it may lead out of the person's files.
 * @param {string} name
 */
function isReached(name) {
  const folder = path.dirname(name);
  try {
    return realpathSync(folder) === folder;
  } catch {
    return false;
  }
}

/**
 * @param {Response} response
 * @param {string} name
 * @param {number} most
 */
async function sendFile(response, name, most) {
  const fd = most > 0 && isReached(name) ? openPlain(name) : null;
  if (fd === null) {
    response.writeHead(404).end();
    return;
  }
  await new Promise((resolve, reject) => {
    const reading = createReadStream('', {fd, start: 0, end: most - 1});
    reading.on('error', reject).on('end', () => resolve(null)).pipe(response);
  });
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {string} name
 */
async function takeFile(request, response, name) {
  await mkdir(path.dirname(name), {recursive: true, mode: 0o700});
  const aside = `${name}.${process.pid}.new`;
  try {
    // Not by write(), which on a full disk writes a part and says nothing.
    await writeFile(aside, request, {mode: 0o600});
    await rename(aside, name);
  } catch (error) {
    await rm(aside, {force: true});
    throw error;
  }
  response.writeHead(204).end();
}

const rest = {...process.env};
delete rest.CELL_RELAY;
/** @type {import('node:child_process').StdioOptions} */
const stdio = ['ignore', 'inherit', 'inherit'];
if (own.loopback !== undefined) {
  const {gatewayPort, meterPort, meterSocket, toolsPort, toolsSocket} = own;
  const sockets = {[meterPort]: meterSocket, [toolsPort]: toolsSocket};
  rest.CELL_LOOPBACK = JSON.stringify({gatewayPort, gatewayFd: stdio.length, sockets});
  rest.NODE_OPTIONS = `--require=${own.loopback} ${rest.NODE_OPTIONS ?? ''}`;
  stdio.push(own.gatewayFd);
}
const gateway = spawn(/** @type {string} */ (process.argv[2]), process.argv.slice(3), {stdio, env: rest});
function stop() {
  gateway.kill('SIGTERM');
  // In mid-turn it would wait for minutes until the turn is over.
  setTimeout(() => gateway.kill('SIGKILL'), own.graceMs).unref();
}
process.on('SIGTERM', stop).on('SIGINT', stop);
process.stdin.on('end', stop).on('error', stop).resume();
gateway.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)));
