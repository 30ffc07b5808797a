// What Node has for the messages of parallel.lua: a number to a worker and back. Prints "<name> <value> <unit>".
const { Worker, isMainThread, parentPort } = require("worker_threads");

const ROUNDS = 20000;

if (isMainThread) {
    const worker = new Worker(__filename);
    let round = 0;
    let begun;
    worker.on("message", () => {
        round += 1;
        if (round === 1000) begun = process.hrtime.bigint();
        if (round === ROUNDS) {
            const elapsed = Number(process.hrtime.bigint() - begun) / 1000;
            console.log(`node_postmessage ${(elapsed / (ROUNDS - 1000)).toPrecision(6)} us/item`);
            worker.terminate();
            return;
        }
        worker.postMessage(round);
    });
    worker.postMessage(0);
} else {
    parentPort.on("message", (value) => parentPort.postMessage(value));
}
