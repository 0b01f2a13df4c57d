// Aedes on the loopback: node broker.js PORT. Says "running" when it listens.
const aedes = require('aedes')()
const server = require('net').createServer(aedes.handle)

server.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('running'))
