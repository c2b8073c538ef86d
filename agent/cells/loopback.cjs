'use strict';
// Loaded ahead of OpenClaw in a jail, where no process can open a network: the ports that it knows
// of are unix sockets in truth. The gateway's port is a listening socket that it was handed, those of
// the meter and of the product's tools are files that it may call.
//
// What is given here is no wall. Code that goes around it finds that the kernel refuses.
const http = require('node:http');
const {syncBuiltinESMExports} = require('node:module');
const net = require('node:net');
const os = require('node:os');
const v8 = require('node:v8');

const own = JSON.parse(process.env.CELL_LOOPBACK ?? 'null');
const HERE = new Set(['localhost', '127.0.0.1', '::1', '::ffff:127.0.0.1']);
const ADDRESS = {address: '127.0.0.1', family: 'IPv4'};
// Of a server that asked for any port.
const SOME_PORT = 49152;

/** @param {any[]} given */
function endpoint(given) {
  const [first, second] = given;
  if (typeof first === 'object' && first !== null) return first;
  return typeof first === 'string' && !/^\d+$/.test(first)
    ? {path: first} : {port: first, host: typeof second === 'string' ? second : undefined};
}

/** @param {any[]} given */
function callbackOf(given) {
  return given.findLast((one) => typeof one === 'function');
}

/** @param {any} wanted */
function isTcp(wanted) {
  return wanted.fd === undefined && !wanted.path && wanted.port !== undefined && wanted._handle === undefined;
}

function carryListening() {
  const {listen} = net.Server.prototype;
  let isTaken = false;
  net.Server.prototype.listen = /** @this {any} @param {any[]} given */ function (...given) {
    const wanted = endpoint(given);
    if (!isTcp(wanted)) return Reflect.apply(listen, this, given);
    const port = Number(wanted.port) || SOME_PORT;
    const done = callbackOf(given);
    this.address = () => ({...ADDRESS, port});
    // The gateway listens for each family, and other servers only try whether a port is free.
    if (port !== own.gatewayPort || isTaken || !(this instanceof http.Server)) {
      if (done) this.once('listening', done);
      process.nextTick(() => this.emit('listening'));
      return this;
    }
    isTaken = true;
    this.prependListener('connection', fromHere);
    return listen.call(this, {fd: own.gatewayFd}, done);
  };
}

/**
 * Lets a connection look as if it came over the loopback, which is where the worker is.
 * @param {any} socket
 */
function fromHere(socket) {
  const seen = {remoteAddress: ADDRESS.address, remoteFamily: ADDRESS.family, remotePort: SOME_PORT,
    localAddress: ADDRESS.address, localFamily: ADDRESS.family, localPort: own.gatewayPort};
  for (const [name, value] of Object.entries(seen)) Object.defineProperty(socket, name, {value});
}

function carryConnecting() {
  const {connect} = net.Socket.prototype;
  net.Socket.prototype.connect = /** @this {any} @param {any[]} given */ function (...given) {
    // net.connect() hands on what it has put in order already: the options and the callback.
    const [wanted, done] = Array.isArray(given[0]) ? given[0] : [endpoint(given), callbackOf(given)];
    const path = isTcp(wanted) ? own.sockets[Number(wanted.port)] : undefined;
    if (!path || !HERE.has(wanted.host ?? 'localhost')) return Reflect.apply(connect, this, given);
    return connect.call(this, {...wanted, path}, done ?? undefined);
  };
}

// What Node reads from /proc or asks by netlink, neither of which is there.
function answerForTheSystem() {
  os.networkInterfaces = () => ({});
  const {memoryUsage} = process;
  const measured = () => {
    const heap = v8.getHeapStatistics();
    return {rss: heap.total_physical_size + heap.malloced_memory, heapTotal: heap.total_heap_size,
      heapUsed: heap.used_heap_size, external: heap.external_memory, arrayBuffers: 0};
  };
  /** @param {() => any} ask @param {() => any} otherwise */
  const or = (ask, otherwise) => () => {
    try {
      return ask();
    } catch {
      return otherwise();
    }
  };
  const rss = or(() => memoryUsage.rss(), () => measured().rss);
  process.memoryUsage = Object.assign(or(() => memoryUsage.call(process), measured), {rss});
}

if (own !== null) {
  carryListening();
  carryConnecting();
  answerForTheSystem();
  syncBuiltinESMExports();
}
