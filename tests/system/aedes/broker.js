// Aedes on the loopback: node broker.js PORT [FOLDER]. With a folder, sessions and retained messages are kept there and
// outlive the process. Says "running" when it listens; SIGTERM ends it in order. Two of its defects are mended from
// outside, without which QoS 2 does not survive a cut connection (docs/mote-tool.md).
import { createServer } from 'node:net'
import levelPersistence from 'aedes-persistence-level'
import MemoryPersistence from 'aedes-persistence/asyncPersistence.js'
import { ClassicLevel } from 'classic-level'

// Aedes draws where the packet ids of a connection begin, and does not skip those that are in use (MQTT-2.3.1-4). Spread
// by the golden ratio, they do not meet in a test.
let drawn = 0
Math.random = () => (++drawn * 0.6180339887498949) % 1
const { Aedes } = await import('aedes')

// Its own puts a PUBREL into the place of the first PUBREL that it has stored, whichever that is: the PUBLISH stays, and is
// sent again after PUBREL (MQTT-4.3.3-1).
class Persistence extends MemoryPersistence {
  async outgoingUpdate (client, packet) {
    if (packet.cmd !== 'pubrel' || packet.brokerId) {
      return super.outgoingUpdate(client, packet)
    }
    for await (const stored of this.outgoingStream(client)) {
      if (stored.messageId === packet.messageId) {
        Object.assign(stored, { cmd: 'pubrel', dup: false })
        return
      }
    }
    throw new Error('no such packet')
  }
}

const [port, folder] = process.argv.slice(2)
const persistence = folder ? levelPersistence(new ClassicLevel(folder)) : new Persistence()
const aedes = await Aedes.createBroker({ persistence })
const server = createServer(aedes.handle)

server.listen(Number(port), '127.0.0.1', () => console.log('running'))
process.on('SIGTERM', () => {
  server.close()
  aedes.close(async () => {
    await persistence.destroy()
    process.exit(0)
  })
})
