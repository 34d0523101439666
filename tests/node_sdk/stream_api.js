// SPDX-License-Identifier: Apache-2.0
// Greengrass' stream manager by its public SDK for Node: its whole API, once; then, line by line of
// standard input, the number of messages to append, also over the server's end. Tells each step.
const assert = require('node:assert/strict');
const readline = require('node:readline');
const { StreamManager: stream } = require('aws-greengrass-core-sdk');

const quiet = { error() {}, info() {}, debug() {}, warn() {} };
const client = new stream.StreamManagerClient({ logger: quiet });

const definition = (name, maxSize) =>
  new stream.MessageStreamDefinition()
    .withName(name)
    .withMaxSize(maxSize)
    .withStrategyOnFull(stream.StrategyOnFull.RejectNewData);

async function wholeApi() {
  await client.createMessageStream(definition('api', 100000));
  await assert.rejects(client.createMessageStream(definition('api', 100000)));
  assert.ok((await client.listStreams()).includes('api'));
  for (let i = 0; i < 5; ++i) {
    assert.equal(await client.appendMessage('api', Buffer.from(`message ${i}`)), i);
  }
  const read = await client.readMessages(
    'api',
    new stream.ReadMessagesOptions().withDesiredStartSequenceNumber(1).withMinMessageCount(2).withMaxMessageCount(3),
  );
  assert.deepEqual(read.map((one) => [one.streamName, one.sequenceNumber, one.payload.toString()]), [
    ['api', 1, 'message 1'], ['api', 2, 'message 2'], ['api', 3, 'message 3'],
  ]);
  assert.ok(read[0].ingestTime > 1.6e12);
  await assert.rejects(
    client.readMessages('api', new stream.ReadMessagesOptions().withDesiredStartSequenceNumber(5)),
    stream.NotEnoughMessagesException,
  );
  const info = await client.describeMessageStream('api');
  assert.equal(info.storageStatus.oldestSequenceNumber, 0);
  assert.equal(info.storageStatus.newestSequenceNumber, 4);
  // As it was described, with an export more.
  info.definition.withMaxSize(200000).withExportDefinition(
    new stream.ExportDefinition().withHttp([
      new stream.HTTPConfig().withIdentifier('out').withUri('http://127.0.0.1:9/nobody').withDisabled(true),
    ]),
  );
  await client.updateMessageStream(info.definition);
  const updated = await client.describeMessageStream('api');
  assert.equal(updated.definition.maxSize, 200000);
  assert.equal(updated.exportStatuses[0].exportConfigIdentifier, 'out');
  await client.deleteMessageStream('api');
  await assert.rejects(client.appendMessage('api', Buffer.from('x')), stream.ResourceNotFoundException);
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Until it is answered: the client connects anew by itself, at its next call.
async function append(payload) {
  for (;;) {
    try {
      return await Promise.race([
        client.appendMessage('kept', payload),
        pause(5000).then(() => { throw new Error('no answer'); }),
      ]);
    } catch {
      await pause(100);
    }
  }
}

async function main() {
  await new Promise((resolve) => { client.onConnected(resolve); });
  await wholeApi();
  await client.createMessageStream(definition('kept', 10000000));
  console.log('api');
  let number = 0;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    for (let i = 0; i < Number(line); ++i) await append(Buffer.from(String(number++)));
    console.log(`appended ${number}`);
  }
  client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
