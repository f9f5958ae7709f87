'use strict';
/* What the page shows, as it stands in the document. */

const song = JSON.parse(document.getElementById('data').textContent);

function decodeBytes(text) {
    const binary = atob(text.trim());
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++)
        bytes[i] = binary.charCodeAt(i);
    return bytes;
}

if (song.waveform)
    for (const part of ['low', 'high', 'rms'])
        song.waveform[part] = decodeBytes(song.waveform[part]);
if (song.activations)
    for (const part of ['beat', 'downbeat', 'section'])
        song.activations[part] = decodeBytes(song.activations[part]);

/* The number of values that are at most `limit`; `values` ascend. */
function countUpTo(values, limit) {
    let low = 0, high = values.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (values[middle] <= limit) low = middle + 1;
        else high = middle;
    }
    return low;
}

const starts = song.segments.map(segment => segment.start);

function segmentAt(time) {
    const index = countUpTo(starts, time + 1e-6) - 1;
    return index >= 0 && time < song.segments[index].end + 1e-6 ? index : -1;
}

/* The bar of each beat, from 1; beats before the first downbeat are in bar 0. */
const bars = [];
{
    let bar = 0;
    song.positions.forEach((position, i) => { bars[i] = position === 1 ? ++bar : bar; });
}

/* Whole seconds are rounded, as in figures; a running clock shows what has passed. */
function clockText(seconds, decimals = 0) {
    const scale = 10 ** decimals;
    const ticks = Math.floor(Math.max(seconds, 0) * scale + (decimals ? 1e-6 : 0.5));
    const whole = Math.floor(ticks / scale);
    const two = number => String(number).padStart(2, '0');
    const text = whole >= 3600
        ? `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
        : `${Math.floor(whole / 60)}:${two(whole % 60)}`;
    return decimals ? `${text}.${String(ticks % scale).padStart(decimals, '0')}` : text;
}
