/**
 * IndexedDB's own limit, by hand, in a worker: chunks of 1 MiB, one per transaction, two
 * transactions in flight, nothing else. Gets `{ bytes, durability }`, answers with milliseconds.
 */
const CHUNK = 1 << 20;
const IN_FLIGHT = 2;

let next = 0;

const opening = new Promise((resolve, reject) => {
  const request = indexedDB.open("raw", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("chunks");
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function put(database, chunk, durability) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("chunks", "readwrite", { durability });
    // The copy is what any broker must do too: the bytes stay with whoever produced them.
    transaction.objectStore("chunks").put(chunk.slice(0), next++);
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    transaction.commit();
  });
}

onmessage = async ({ data: { bytes, durability } }) => {
  const database = await opening;
  const chunks = Array.from({ length: 8 }, () => {
    const chunk = new Uint8Array(CHUNK);
    for (let at = 0; at < CHUNK; at += 65_536) {
      crypto.getRandomValues(chunk.subarray(at, at + 65_536));
    }
    return chunk.buffer;
  });
  let left = Math.ceil(bytes / CHUNK);
  const begun = performance.now();
  const lane = async () => {
    while (left-- > 0) await put(database, chunks[left & 7], durability);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  postMessage(performance.now() - begun);
};
