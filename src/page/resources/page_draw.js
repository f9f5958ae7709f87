/* The chart and the overview, on canvas. */

const chart = document.getElementById('chart');
const overview = document.getElementById('overview');
const BAND = 44, WAVE = 150, BEATS = 20, PANEL = 58, AXIS = 22, GAP = 8;

const view = {from: 0, to: Math.max(song.duration, 0.01)};

function panels() {
    const list = [{kind: 'band', height: BAND}, {kind: 'wave', height: WAVE}];
    if (song.beats.length) list.push({kind: 'beats', height: BEATS});
    if (song.activations) list.push({kind: 'activations', height: PANEL});
    if (song.tempo_curve.bpm.length > 1) list.push({kind: 'tempo', height: PANEL});
    list.push({kind: 'axis', height: AXIS});
    let top = 0;
    for (const panel of list) {
        panel.top = top;
        top += panel.height + (panel.kind === 'activations' || panel.kind === 'tempo' ? GAP : 0);
    }
    return {list, height: top};
}

const layout = panels();
chart.style.height = `${layout.height}px`;

function timeToX(time, width) { return (time - view.from) / (view.to - view.from) * width; }
function xToTime(x, width) { return view.from + x / width * (view.to - view.from); }

function colours() {
    const style = getComputedStyle(document.documentElement);
    const get = name => style.getPropertyValue(name).trim();
    return {ink: get('--ink'), soft: get('--soft'), line: get('--line'), panel: get('--panel'),
            accent: get('--accent'), shade: get('--wave-shade')};
}

/* A context in CSS pixels, cleared. */
function prepare(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return {context, width, height};
}

function setFont(context, size, weight = 400) {
    context.font = `${weight} ${size}px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif`;
}

function visibleSegments() {
    return song.segments.filter(segment => segment.end > view.from && segment.start < view.to);
}

function drawBand(c, width, panel, paint) {
    for (const segment of visibleSegments()) {
        const x0 = Math.max(timeToX(segment.start, width), 0);
        const x1 = Math.min(timeToX(segment.end, width), width);
        c.fillStyle = segment.colour;
        c.fillRect(x0, panel.top, x1 - x0, panel.height);
        c.fillStyle = segment.text;
        c.textAlign = 'center';
        c.textBaseline = 'middle';
        const middle = (x0 + x1) / 2;
        setFont(c, 13, 600);
        if (c.measureText(segment.label).width + 6 <= x1 - x0) {
            c.fillText(segment.label, middle, panel.top + 16);
            setFont(c, 11);
            const text = clockText(segment.start);
            if (c.measureText(text).width + 6 <= x1 - x0) c.fillText(text, middle, panel.top + 31);
            continue;
        }
        setFont(c, 10, 600);
        if (x1 - x0 >= 11 && c.measureText(segment.label).width + 2 <= panel.height) {
            c.save();
            c.translate(middle, panel.top + panel.height / 2);
            c.rotate(-Math.PI / 2);
            c.fillText(segment.label, 0, 0);
            c.restore();
        }
    }
    c.strokeStyle = paint.panel;
    c.lineWidth = 1;
    for (const segment of visibleSegments().slice(1)) {
        const x = Math.round(timeToX(segment.start, width)) + 0.5;
        c.beginPath();
        c.moveTo(x, panel.top);
        c.lineTo(x, panel.top + panel.height);
        c.stroke();
    }
}

/* The largest of bytes [from, to); at least one is looked at. */
function largest(values, from, to) {
    let most = 0;
    for (let i = from; i < Math.max(to, from + 1) && i < values.length; i++)
        if (values[i] > most) most = values[i];
    return most;
}

function drawWave(c, width, panel, paint) {
    const wave = song.waveform;
    const middle = panel.top + panel.height / 2;
    const whole = [{start: 0, end: song.duration, colour: paint.soft}];
    for (const segment of song.segments.length ? visibleSegments() : whole) {
        const x0 = Math.max(Math.floor(timeToX(segment.start, width)), 0);
        const x1 = Math.min(Math.ceil(timeToX(segment.end, width)), width);
        c.fillStyle = segment.colour;
        c.globalAlpha = 0.14;
        c.fillRect(x0, panel.top, x1 - x0, panel.height);
        c.globalAlpha = 1;
        if (!wave) continue;
        const scale = 0.48 * panel.height / 255;
        for (const [part, style, alpha] of [['peak', segment.colour, 0.72], ['rms', segment.colour, 1],
                                            ['rms', paint.shade, 1]]) {
            c.fillStyle = style;
            c.globalAlpha = alpha;
            c.beginPath();
            for (let x = x0; x < x1; x++) {
                const from = Math.max(Math.floor(xToTime(x, width) * wave.rate), 0);
                const to = Math.ceil(xToTime(x + 1, width) * wave.rate);
                const up = largest(part === 'peak' ? wave.high : wave.rms, from, to) * scale;
                const down = largest(part === 'peak' ? wave.low : wave.rms, from, to) * scale;
                c.rect(x, middle - up, 1, Math.max(up + down, 0.5));
            }
            c.fill();
        }
        c.globalAlpha = 1;
    }
}

function drawBeats(c, width, panel, paint) {
    const shown = view.to - view.from;
    const beatGap = song.beats.length > 1
        ? (song.beats[song.beats.length - 1] - song.beats[0]) / (song.beats.length - 1) : 1;
    const perBeat = beatGap / shown * width;
    const first = Math.max(countUpTo(song.beats, view.from) - 1, 0);
    const last = countUpTo(song.beats, view.to);
    let labelled = -Infinity;
    setFont(c, 10);
    c.textAlign = 'left';
    c.textBaseline = 'alphabetic';
    for (let i = first; i < last; i++) {
        const down = song.positions[i] === 1;
        if (!down && perBeat < 3) continue;
        const x = timeToX(song.beats[i], width);
        if (down && perBeat * 4 < 3 && bars[i] % 4 !== 1) continue;
        c.fillStyle = down ? paint.ink : paint.soft;
        c.fillRect(x - (down ? 0.75 : 0.5), panel.top + 3, down ? 1.5 : 1, down ? 14 : 7);
        if (down && perBeat > 9 && x - labelled > 26) {
            c.fillText(String(bars[i]), x + 3, panel.top + 18);
            labelled = x;
        }
    }
}

function drawTitle(c, panel, text, paint) {
    setFont(c, 11);
    c.textAlign = 'left';
    c.textBaseline = 'top';
    const width = c.measureText(text).width;
    c.fillStyle = paint.panel;
    c.globalAlpha = 0.8;
    c.fillRect(2, panel.top + 2, width + 6, 15);
    c.globalAlpha = 1;
    c.fillStyle = paint.soft;
    c.fillText(text, 5, panel.top + 4);
}

function drawActivations(c, width, panel, paint) {
    const data = song.activations;
    const curves = [['beat', paint.soft, 1], ['downbeat', paint.accent, 1.5], ['section', '#d55e00', 1.5]];
    c.strokeStyle = paint.line;
    c.lineWidth = 1;
    c.strokeRect(0.5, panel.top + 0.5, width - 1, panel.height - 1);
    for (const [name, colour, line] of curves) {
        c.strokeStyle = colour;
        c.lineWidth = line;
        c.beginPath();
        for (let x = 0; x <= width; x++) {
            const from = Math.max(Math.floor(xToTime(x, width) * data.rate), 0);
            const value = largest(data[name], from, Math.ceil(xToTime(x + 1, width) * data.rate));
            c.lineTo(x, panel.top + panel.height - 2 - value / 255 * (panel.height - 4));
        }
        c.stroke();
    }
    drawTitle(c, panel, 'probability of beat, downbeat (blue), boundary (orange)', paint);
}

function drawTempo(c, width, panel, paint) {
    const curve = song.tempo_curve;
    const low = Math.min(...curve.bpm), high = Math.max(...curve.bpm);
    const middle = (low + high) / 2, reach = Math.max((high - low) * 0.6, middle * 0.05);
    const toY = bpm => panel.top + panel.height * (0.5 - 0.5 * (bpm - middle) / reach);
    c.strokeStyle = paint.line;
    c.lineWidth = 1;
    c.strokeRect(0.5, panel.top + 0.5, width - 1, panel.height - 1);
    c.strokeStyle = paint.ink;
    c.lineWidth = 1.75;
    c.beginPath();
    curve.times.forEach((time, i) => c.lineTo(timeToX(time, width), toY(curve.bpm[i])));
    c.stroke();
    const text = low.toFixed(1) === high.toFixed(1) ? `tempo ${low.toFixed(1)} bpm`
        : `tempo ${low.toFixed(1)} to ${high.toFixed(1)} bpm`;
    drawTitle(c, panel, text, paint);
}

function drawAxis(c, width, panel, paint) {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    const shown = view.to - view.from;
    const step = steps.find(s => s / shown * width >= 64) || 3600;
    setFont(c, 11);
    c.textBaseline = 'middle';
    for (let i = Math.ceil(view.from / step - 1e-9); i * step <= view.to + 1e-9; i++) {
        const x = timeToX(i * step, width);
        const text = clockText(i * step, step < 1 ? 1 : 0);
        c.fillStyle = paint.soft;
        c.fillRect(x - 0.5, panel.top + 1, 1, 5);
        c.textAlign = x < 16 ? 'left' : x > width - 16 ? 'right' : 'center';
        c.fillText(text, x, panel.top + 14);
    }
}

const draws = {band: drawBand, wave: drawWave, beats: drawBeats, activations: drawActivations,
               tempo: drawTempo, axis: drawAxis};

function shadeOutside(c, width, height, range, paint) {
    const x0 = timeToX(range.start, width), x1 = timeToX(range.end, width);
    c.fillStyle = paint.panel;
    c.globalAlpha = 0.6;
    c.fillRect(0, 0, Math.max(x0, 0), height);
    c.fillRect(x1, 0, Math.max(width - x1, 0), height);
    c.globalAlpha = 1;
}

/* What does not move is kept as a picture; the playhead is drawn over it. */
const still = document.createElement('canvas');
let stillIsOld = true;

function drawStill(time, range) {
    const {context, width, height} = prepare(chart);
    const paint = colours();
    for (const panel of layout.list) draws[panel.kind](context, width, panel, paint);
    context.globalAlpha = 0.35;
    context.fillStyle = paint.ink;
    for (const segment of visibleSegments().slice(1)) {
        const x = timeToX(segment.start, width);
        context.fillRect(x - 0.5, BAND, 1, height - BAND - AXIS);
    }
    context.globalAlpha = 1;
    if (range) shadeOutside(context, width, height - AXIS, range, paint);
    still.width = chart.width;
    still.height = chart.height;
    still.getContext('2d').drawImage(chart, 0, 0);
    stillIsOld = false;
}

function draw(time, range) {
    if (!chart.clientWidth) return;
    if (stillIsOld) drawStill(time, range);
    const {context, width, height} = prepare(chart);
    context.drawImage(still, 0, 0, width, height);
    const x = timeToX(time, width);
    const paint = colours();
    /* Below the band, so that its text stays whole; a handle points at the section. */
    context.fillStyle = paint.panel;
    context.fillRect(x - 2, BAND, 4, height - AXIS - BAND);
    context.fillStyle = paint.ink;
    context.fillRect(x - 1, BAND, 2, height - AXIS + 4 - BAND);
    context.strokeStyle = paint.panel;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - 7, BAND);
    context.lineTo(x + 7, BAND);
    context.lineTo(x, BAND + 10);
    context.closePath();
    context.stroke();
    context.fill();
    drawOverview(time, paint);
}

function drawOverview(time, paint) {
    const {context, width, height} = prepare(overview);
    const scale = width / Math.max(song.duration, 0.01);
    for (const segment of song.segments) {
        context.fillStyle = segment.colour;
        context.fillRect(segment.start * scale, 6, (segment.end - segment.start) * scale, height - 12);
    }
    context.strokeStyle = paint.ink;
    context.lineWidth = 2;
    context.strokeRect(view.from * scale + 1, 1, (view.to - view.from) * scale - 2, height - 2);
    context.fillStyle = paint.ink;
    context.fillRect(time * scale - 1, 0, 2, height);
}
