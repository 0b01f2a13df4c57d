// node aliases.js PORT: serves a subscriber with topic aliases, which neither Mosquitto 2.0 nor Aedes sends. What is on the
// wire is mqtt-packet's, the serializer of Aedes.
import { createServer } from 'node:net'
import mqtt from 'mqtt-packet'

// [topic, alias, payload]: set, used, a second one, one set anew, both used.
const messages = [['first', 1, '1'], ['', 1, '2'], ['second', 2, '3'], ['', 1, '4'], ['', 2, '5'], ['third', 1, '6'], ['', 2, '7'], ['', 1, '8']]

createServer((connection) => {
  const parser = mqtt.parser({ protocolVersion: 5 })
  const send = (packet) => mqtt.writeToStream(packet, connection, { protocolVersion: 5 })
  parser.on('packet', (packet) => {
    if (packet.cmd === 'connect') {
      console.log('topic alias maximum ' + packet.properties?.topicAliasMaximum)
      send({ cmd: 'connack', reasonCode: 0, sessionPresent: false })
    } else if (packet.cmd === 'subscribe') {
      send({ cmd: 'suback', messageId: packet.messageId, granted: [1] })
      messages.forEach(([topic, topicAlias, payload], index) =>
        send({ cmd: 'publish', qos: 1, messageId: index + 1, topic, payload, properties: { topicAlias } }))
    }
  })
  connection.on('data', (data) => parser.parse(data))
  connection.on('end', () => connection.end())
  connection.on('error', () => {})
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('running'))
