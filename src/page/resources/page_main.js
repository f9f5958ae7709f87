/* Buttons, keys, and what they show. */

const at = id => document.getElementById(id);

function notify(text) {
    at('notice').textContent = text;
    at('notice').hidden = false;
}

/* View -------------------------------------------------------------------------------------------- */

function setView(from, to) {
    const whole = Math.max(song.duration, 0.01);
    const span = Math.min(Math.max(to - from, Math.min(1, whole)), whole);
    view.from = Math.min(Math.max(from, 0), whole - span);
    view.to = view.from + span;
    stillIsOld = true;
    changed();
}

function zoom(factor, around = now()) {
    const span = (view.to - view.from) * factor;
    const share = (around - view.from) / (view.to - view.from);
    const inside = share >= 0 && share <= 1 ? share : 0.5;
    setView(around - span * inside, around + span * (1 - inside));
}

/* Turns the page when the playhead leaves it. */
function follow(time) {
    const span = view.to - view.from;
    if (span < song.duration - 1e-6 && !audio.paused && !dragging && (time > view.to || time < view.from))
        setView(time - span * 0.05, time + span * 0.95);
}

/* What is said of the position -------------------------------------------------------------------- */

function placeText(time) {
    const segment = segmentAt(time);
    const beat = countUpTo(song.beats, time + 0.005) - 1;
    const parts = [];
    if (segment >= 0) parts.push(song.segments[segment].label);
    if (beat >= 0) parts.push(`bar ${bars[beat]}`, `beat ${song.positions[beat]}`);
    return parts.join(' · ');
}

let listed = -2;

function show() {
    const time = now();
    player.position = time;
    follow(time);
    at('clock').textContent = clockText(time, 1);
    at('place').textContent = placeText(time);
    chart.setAttribute('aria-valuenow', time.toFixed(2));
    chart.setAttribute('aria-valuetext', `${clockText(time)}, ${placeText(time)}`);
    const current = segmentAt(time);
    if (current !== listed) {
        [...at('sections').children].forEach((item, i) => item.setAttribute('aria-current', String(i === current)));
        listed = current;
    }
    draw(time, player.loop);
}

/* Draws once a frame while something moves, and once when something changed. */
let asked = false;

function changed() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
        asked = false;
        show();
        if (!audio.paused) changed();
    });
}

function showButtons() {
    const playing = !audio.paused;
    at('play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
    at('play-shape').setAttribute('d', playing ? 'M6 4h4v16H6zM14 4h4v16h-4z' : 'M7 4v16l13-8z');
    at('metronome').setAttribute('aria-pressed', String(metronome.on));
    at('loop').setAttribute('aria-pressed', String(Boolean(player.loop)));
    [...at('sections').querySelectorAll('.again')].forEach((button, i) =>
        button.setAttribute('aria-pressed', String(Boolean(player.loop) && player.loop.index === i)));
}

function toggleLoop(index = segmentAt(now())) {
    if (player.loop && player.loop.index === index) setLoop(null);
    else {
        setLoop(null);
        const segment = song.segments[index];
        if (segment && (now() < segment.start || now() >= segment.end)) seek(segment.start);
        setLoop(index);
    }
    showButtons();
}

/* Sections ---------------------------------------------------------------------------------------- */

song.segments.forEach((segment, index) => {
    const item = document.createElement('li');
    const go = document.createElement('button');
    const again = document.createElement('button');
    const part = (name, text) => {
        const span = document.createElement('span');
        span.className = name;
        span.textContent = text;
        go.append(span);
        return span;
    };
    go.type = again.type = 'button';
    go.className = 'go';
    part('swatch', '').style.background = segment.colour;
    part('label', segment.label);
    part('sure', segment.probability === null ? '' : `${Math.round(segment.probability * 100)} %`).title =
        'probability of the label';
    part('time', `${clockText(segment.start)} – ${clockText(segment.end)}`);
    go.addEventListener('click', () => seek(segment.start));
    again.className = 'again';
    again.textContent = '↻';
    again.title = 'Repeat this section';
    again.setAttribute('aria-label', `Repeat ${segment.label} from ${clockText(segment.start)}`);
    again.setAttribute('aria-pressed', 'false');
    again.addEventListener('click', () => toggleLoop(index));
    item.append(go, again);
    at('sections').append(item);
});

/* Pointer ----------------------------------------------------------------------------------------- */

let dragging = false;

function dragTime(event, canvas, toTime) {
    const box = canvas.getBoundingClientRect();
    return toTime(Math.min(Math.max(event.clientX - box.left, 0), box.width), box.width);
}

function makeDraggable(canvas, toTime, act) {
    canvas.addEventListener('pointerdown', event => {
        if (event.button !== 0) return;
        dragging = true;
        canvas.setPointerCapture(event.pointerId);
        act(dragTime(event, canvas, toTime));
    });
    canvas.addEventListener('pointermove', event => {
        if (dragging && canvas.hasPointerCapture(event.pointerId)) act(dragTime(event, canvas, toTime));
    });
    for (const end of ['pointerup', 'pointercancel'])
        canvas.addEventListener(end, () => { dragging = false; });
}

makeDraggable(chart, xToTime, seek);
makeDraggable(overview, (x, width) => x / width * song.duration, time => {
    const span = view.to - view.from;
    if (span < song.duration - 1e-6) setView(time - span / 2, time + span / 2);
    else seek(time);
});

chart.addEventListener('wheel', event => {
    const box = chart.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        zoom(event.deltaY > 0 ? 1.25 : 0.8, xToTime(event.clientX - box.left, box.width));
    } else if (event.deltaX || event.shiftKey) {
        event.preventDefault();
        const shift = (event.deltaX || event.deltaY) / box.width * (view.to - view.from);
        setView(view.from + shift, view.to + shift);
    }
}, {passive: false});

/* Buttons and keys -------------------------------------------------------------------------------- */

const keys = {
    ' ': togglePlay,
    l: () => toggleLoop(),
    m: () => { metronome.toggle(); showButtons(); },
    '+': () => zoom(0.5),
    '=': () => zoom(0.5),
    '-': () => zoom(2),
    '0': () => setView(0, song.duration),
    Home: () => seek(0),
    End: () => seek(song.duration),
};

document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
        const direction = key === 'ArrowRight' ? 1 : -1;
        event.preventDefault();
        if (event.shiftKey) stepSection(direction);
        else stepBeat(direction);
        return;
    }
    /* A button that has the focus is pressed by the space bar. */
    if (key === ' ' && event.target instanceof Element && event.target.closest('button, summary')) return;
    if (!keys[key]) return;
    event.preventDefault();
    keys[key]();
});

at('play').addEventListener('click', togglePlay);
at('previous').addEventListener('click', () => stepSection(-1));
at('next').addEventListener('click', () => stepSection(1));
at('loop').addEventListener('click', () => toggleLoop(player.loop ? player.loop.index : undefined));
at('metronome').addEventListener('click', keys.m);
at('zoom-in').addEventListener('click', () => zoom(0.5));
at('zoom-out').addEventListener('click', () => zoom(2));
at('zoom-fit').addEventListener('click', keys['0']);

/* Colours ----------------------------------------------------------------------------------------- */

const systemDark = matchMedia('(prefers-color-scheme: dark)');

function isDark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === 'dark' : systemDark.matches;
}

function showTheme() {
    at('theme').setAttribute('aria-pressed', String(isDark()));
    stillIsOld = true;
    changed();
}

at('theme').addEventListener('click', () => {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    showTheme();
});
systemDark.addEventListener('change', showTheme);

/* Start ------------------------------------------------------------------------------------------- */

for (const name of ['play', 'pause', 'ended', 'seeked', 'loadedmetadata'])
    audio.addEventListener(name, () => { metronome.forget(); showButtons(); changed(); });
audio.addEventListener('error', () => {
    player.canPlay = false;
    at('play').disabled = at('metronome').disabled = true;
    notify('The sound cannot be played here. The structure can still be looked at.');
});
if (!player.canPlay) at('play').disabled = at('metronome').disabled = true;
chart.setAttribute('aria-valuemax', song.duration.toFixed(2));
new ResizeObserver(() => { stillIsOld = true; changed(); }).observe(chart);
showTheme();
showButtons();
