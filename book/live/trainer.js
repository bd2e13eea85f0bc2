/** The worker of "Draw a symbol": makes the task, trains, and tells after each epoch how far it is. */
import { network, predict, train } from "./engine/network.js";
import { PIXELS, task } from "./engine/symbols.js";

const meanSquare = (net, { x, y }) => predict(net, x).reduce((sum, said, t) => sum + (said - y[t]) ** 2, 0) / y.length;

/** @returns what the picture needs of a network: losses, and what it says of each pair */
export function report(net, made) {
  return { digits: meanSquare(net, made.digits), pairs: meanSquare(net, made.pairs), said: Array.from(predict(net, made.pairs.x)), true: made.pairs.y };
}

/** All of the training, an epoch at a time. */
export function* lesson({ kind, decay, seed, how, ...given }) {
  const made = task({ seed, triples: how.triples, images: how.images, ...given }), net = network(kind, PIXELS, how.hidden, seed + 1);
  for (const { epoch, loss } of train(net, made.train.x, made.train.y, { ...how, decay, seed })) {
    yield { share: epoch / how.epochs, loss, ...report(net, made) };
  }
}

if (typeof WorkerGlobalScope !== "undefined") {
  self.onmessage = ({ data }) => {
    for (const step of lesson(data)) self.postMessage(step);
  };
}
